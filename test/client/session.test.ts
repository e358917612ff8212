import { describe, expect, test } from 'vitest'
import { scripted } from '../support/scripted.ts'
import { type Answers, ordinary, silence } from '../support/scripted-steps.ts'
import { commandsAt, open } from './open.ts'

const ordinaryServer = (answers: Answers = {}) => scripted(ordinary(answers))

describe('the end', () => {
  test('in order is QUIT, its answer, and FIN (RFC 5321 §4.1.1.10)', async () => {
    const server = await ordinaryServer()
    await (await open(server)).quit()
    expect(await commandsAt(server)).toEqual(['EHLO client.example.test', 'QUIT'])
    await server.conversation.untilGone()
    expect(server.conversation.ending).toBe('ended')
  })

  test.each<[string, Answers['QUIT']]>([
    ['refused', '500 what?'],
    ['answered with garbage', (client) => client.send('\0\0\r\n')],
    ['answered by hanging up', (client) => client.close()],
    ['answered with a reset', (client) => client.reset()],
    ['never answered', silence],
  ])('does not depend on the answer to QUIT: %s', async (_how, QUIT) => {
    const server = await ordinaryServer(QUIT === undefined ? {} : { QUIT })
    const session = await open(server, { timeouts: { quitMs: 100 } })
    await session.quit()
    expect(session.isUsable).toBe(false)
    expect(await commandsAt(server)).toEqual(['EHLO client.example.test', 'QUIT'])
  })

  test('is said once', async () => {
    const server = await ordinaryServer()
    const session = await open(server)
    await Promise.all([session.quit(), session.quit()])
    await session.quit()
    expect(await commandsAt(server)).toEqual(['EHLO client.example.test', 'QUIT'])
  })

  test('after a 421 that nobody asked for is no QUIT (RFC 5321 §3.8)', async () => {
    const opened = Promise.withResolvers<void>()
    const server = await scripted([
      { reply: '220 hi' },
      { expect: /^EHLO / },
      { reply: '250 mx' },
      () => opened.promise,
      { reply: '421 4.4.2 idle for too long' },
      silence,
    ])
    const session = await open(server)
    opened.resolve()
    while (session.isUsable) await new Promise((resolve) => setImmediate(resolve))
    await session.quit()
    expect(await commandsAt(server)).toEqual(['EHLO client.example.test'])
  })

  test('that the peer made leaves nobody to say QUIT to', async () => {
    const server = await scripted([
      { reply: '220 hi' },
      { expect: /^EHLO / },
      { reply: '250 mx' },
      (client) => client.close(),
      silence,
    ])
    const session = await open(server)
    while (session.isUsable) await new Promise((resolve) => setImmediate(resolve))
    await session.quit()
    expect(await commandsAt(server)).toEqual(['EHLO client.example.test'])
  })

  test('of a retired session is no QUIT', async () => {
    const server = await ordinaryServer()
    const session = await open(server)
    session.retire()
    expect(session.isUsable).toBe(false)
    await session.quit()
    expect(await commandsAt(server)).toEqual(['EHLO client.example.test'])
  })

  test('by dropping says nothing', async () => {
    const server = await ordinaryServer()
    const session = await open(server)
    session.drop()
    expect(session.isUsable).toBe(false)
    expect(await commandsAt(server)).toEqual(['EHLO client.example.test'])
  })
})
