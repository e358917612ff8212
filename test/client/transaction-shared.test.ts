/** One transaction for several recipients: each with its own end. */
import { describe, expect, test } from 'vitest'
import { endFor, type TransactionEnd } from '../../src/client/transaction.ts'
import { parseAddress } from '../../src/mail/address.ts'
import { ConnectionLostError } from '../../src/smtp/errors.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import { opened } from './open.ts'
import { smallContent, transact } from './transactions.ts'

const others = ['carol', 'dave', 'erin'].map((name) => ({
  forwardPath: parseAddress(`${name}@example.test`),
}))

/** RCPT answered by name; who is not in the list is accepted. */
const rcpt =
  (answers: Readonly<Record<string, string>>) =>
  (client: Conversation, command: string): Promise<void> => {
    const [, name = ''] = /<([^@]*)@/.exec(command) ?? []
    return client.reply(answers[name] ?? '250 2.1.5 ok')
  }

const endsOf = (end: TransactionEnd): readonly string[] =>
  [0, 1, 2, 3].map((place) => {
    const { stage, reply, error, isContentSent } = endFor(end, place)
    return `${stage} ${reply?.code ?? error?.name}${isContentSent ? ' sent' : ''}`
  })

describe.each([
  ['BDAT', ['PIPELINING', 'CHUNKING']],
  ['DATA', ['PIPELINING']],
  ['BDAT in steps', ['CHUNKING']],
  ['DATA in steps', []],
] as const)('%s', (way, offers) => {
  test('all are accepted, and the content goes out once', async () => {
    const { session, heard } = await opened({ offers })
    const end = await transact(session, { others })
    expect(endsOf(end)).toEqual(Array(4).fill('end-of-data 250 sent'))
    expect(heard.commands.filter((line) => line.startsWith('RCPT'))).toEqual(
      ['bob', 'carol', 'dave', 'erin'].map((name) => `RCPT TO:<${name}@example.test>`),
    )
    expect(heard.contents).toHaveLength(1)
    if (way.startsWith('BDAT')) expect(heard.contents[0]).toEqual(smallContent)
    await session.quit()
  })

  test.each([
    [{ bob: '550 5.1.1 no' }, ['rcpt 550', ...Array(3).fill('end-of-data 250 sent')]],
    [
      { dave: '450 4.2.0 later' },
      ['end-of-data 250 sent', 'end-of-data 250 sent', 'rcpt 450', 'end-of-data 250 sent'],
    ],
    [
      { bob: '550 5.1.1 no', carol: '452 4.5.3 enough', erin: '552 no' },
      ['rcpt 550', 'rcpt 452', 'end-of-data 250 sent', 'rcpt 552'],
    ],
    [{ erin: '550 5.1.1 no' }, [...Array(3).fill('end-of-data 250 sent'), 'rcpt 550']],
  ])('the refusal of one is nobody else’s: %j', async (answers, ends) => {
    const { session } = await opened({ offers, RCPT: rcpt(answers) })
    expect(endsOf(await transact(session, { others }))).toEqual(ends)
    await session.quit()
  })

  test('with all refused nothing is sent, each has its own refusal, and the session is good for the next', async () => {
    const answers = { bob: '550 5.1.1 a', carol: '551 5.1.6 b', dave: '553 5.1.3 c', erin: '450 4.2.1 d' }
    let times = 0
    const { session, heard } = await opened({
      offers,
      RCPT: (client, command) => rcpt(times++ < 4 ? answers : {})(client, command),
    })
    expect(endsOf(await transact(session, { others }))).toEqual([
      'rcpt 550',
      'rcpt 551',
      'rcpt 553',
      'rcpt 450',
    ])
    expect(await transact(session, { others })).toMatchObject({ stage: 'end-of-data', reply: { code: 250 } })
    expect(heard.commands.filter((line) => line === 'RSET').length).toBeLessThanOrEqual(1)
    await session.quit()
  })

  test('MAIL refused is the end of all', async () => {
    const { session } = await opened({ offers, MAIL: '451 4.3.0 not now' })
    expect(endsOf(await transact(session, { others }))).toEqual(Array(4).fill('mail 451'))
  })

  test('421 in the middle ends it for all who have no refusal of their own', async () => {
    const { session } = await opened({
      offers,
      RCPT: async (client, command) => {
        await rcpt({ bob: '550 5.1.1 no', dave: '421 4.3.2 bye' })(client, command)
        if (command.includes('dave')) client.close()
      },
    })
    expect(endsOf(await transact(session, { others }))).toEqual([
      'rcpt 550',
      'rcpt 421',
      'rcpt 421',
      'rcpt 421',
    ])
    expect(session.isUsable).toBe(false)
  })

  test('a connection lost in the middle leaves standing what was refused before', async () => {
    const { session } = await opened({
      offers,
      RCPT: async (client, command) => {
        if (command.includes('dave')) client.close()
        else await rcpt({ bob: '550 5.1.1 no' })(client, command)
      },
    })
    const end = await transact(session, { others })
    expect(endFor(end, 0)).toMatchObject({ stage: 'rcpt', reply: { code: 550 }, isContentSent: false })
    for (const place of [1, 2, 3]) expect(endFor(end, place).error).toBeInstanceOf(ConnectionLostError)
  })

  test('the word on the content is that on all who were accepted', async () => {
    const refusal = '554 5.7.1 spam'
    const { session } = await opened({
      offers,
      RCPT: rcpt({ carol: '550 5.1.1 no' }),
      BDAT: refusal,
      content: refusal,
    })
    const ends = endsOf(await transact(session, { others })).map((text) => text.replace(' sent', ''))
    expect(ends).toEqual(['end-of-data 554', 'rcpt 550', 'end-of-data 554', 'end-of-data 554'])
  })

  test('a hundred recipients are no flood of replies', async () => {
    const many = Array.from({ length: 99 }, (_, at) => ({ forwardPath: parseAddress(`u${at}@example.test`) }))
    const { session } = await opened({ offers })
    expect(await transact(session, { others: many })).toMatchObject({ reply: { code: 250 } })
    await session.quit()
  })
})

describe('421 for one of several whose content was in the flight (RFC 5321 §3.8)', () => {
  const offers = ['PIPELINING', 'CHUNKING']

  test.each([
    ['bob', ['rcpt 421', ...Array(3).fill('end-of-data 250 sent')]],
    ['dave', ['end-of-data 250 sent', 'end-of-data 250 sent', 'rcpt 421', 'end-of-data 250 sent']],
    ['erin', [...Array(3).fill('end-of-data 250 sent'), 'rcpt 421']],
  ])('is that one’s alone where the peer goes on and takes the message: %s', async (name, ends) => {
    const { session } = await opened({ offers, RCPT: rcpt({ [name]: '421 4.7.0 greylisted' }) })
    expect(endsOf(await transact(session, { others }))).toEqual(ends)
    expect(session.isUsable).toBe(false)
  })

  test('is the word on all who have none where the peer closes, so that nobody is in doubt', async () => {
    const { session } = await opened({
      offers,
      RCPT: async (client, command) => {
        await rcpt({ erin: '421 4.3.2 bye' })(client, command)
        if (command.includes('erin')) client.close()
      },
    })
    expect(endsOf(await transact(session, { others }))).toEqual(Array(4).fill('rcpt 421'))
  })

  test('leaves those who were accepted in doubt where the peer neither goes on nor closes', async () => {
    const { session } = await opened(
      {
        offers,
        RCPT: async (client, command) => {
          await rcpt({ dave: '421 4.3.2 bye' })(client, command)
          if (command.includes('dave')) await client.untilGone()
        },
      },
      { timeouts: { rcptMs: 50 } },
    )
    expect(endsOf(await transact(session, { others }))).toEqual([
      'rcpt TimeoutError sent',
      'rcpt TimeoutError sent',
      'rcpt 421',
      'rcpt TimeoutError sent',
    ])
  })
})

test('wishes about reports are each recipient’s own (RFC 3461 §4.1)', async () => {
  const { session, heard } = await opened({ offers: ['PIPELINING', 'DSN'] })
  const [carol] = others
  if (carol === undefined) throw new Error('no Carol')
  await transact(session, {
    recipientDsn: { notify: ['SUCCESS'] },
    others: [{ ...carol, recipientDsn: { notify: ['NEVER'] } }],
  })
  await session.quit()
  expect(heard.commands.filter((line) => line.startsWith('RCPT'))).toEqual([
    'RCPT TO:<bob@example.test> NOTIFY=SUCCESS',
    'RCPT TO:<carol@example.test> NOTIFY=NEVER',
  ])
})
