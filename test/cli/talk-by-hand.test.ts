/** `mxpress talk` at a terminal: `script` of util-linux lends one. Skipped where it is missing. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { scripted } from '../support/scripted.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import type { Script, ScriptedServer } from '../support/scripted-server.ts'
import { ordinary } from '../support/scripted-steps.ts'
import { bin, emptyDirectory } from './run.ts'

const lender = '/usr/bin/script'

/** A person at a terminal. */
class Hand {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #ended: Promise<unknown[]>
  #screen = ''
  #read = 0

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    this.#ended = once(child, 'close')
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.#screen += chunk
    })
  }

  /** Waits until the terminal shows it, behind what was seen before. */
  async sees(text: string): Promise<void> {
    for (;;) {
      const at = this.#screen.indexOf(text, this.#read)
      if (at !== -1) {
        this.#read = at + text.length
        return
      }
      await once(this.#child.stdout, 'data')
    }
  }

  /** Types it, after the prompt. */
  async types(keys: string): Promise<void> {
    this.#child.stdin.write(keys)
  }

  async ended(): Promise<{ readonly code: unknown; readonly screen: string }> {
    const [code] = await this.#ended
    return { code, screen: this.#screen }
  }
}

async function sitDown(script: Script, args = ''): Promise<{ hand: Hand; server: ScriptedServer }> {
  const server = await scripted(script)
  const command = `'${process.execPath}' '${bin}' talk 127.0.0.1:${server.port} ${args}`
  const child = spawn(lender, ['-qec', command, '/dev/null'], {
    cwd: await emptyDirectory(),
    env: { PATH: process.env.PATH, TERM: 'xterm' },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return { hand: new Hand(child), server }
}

const dim = (text: string): string => `\x1b[2m${text}`

describe.skipIf(!existsSync(lender))('at a terminal', () => {
  test('what is typed is said, replies are explained, a dot is doubled, and Ctrl-D says QUIT', async () => {
    const { hand, server } = await sitDown(ordinary({ RCPT: '550 5.1.1 no such mailbox' }))
    await hand.sees('ready for EHLO')
    await hand.types('EHLO me.test\r')
    await hand.sees('extensions')
    await hand.types('RCPT TO:<x@y.test>\r')
    await hand.sees('550 5.1.1 no such mailbox')
    await hand.sees('no such mailbox')
    await hand.types(':help\r')
    await hand.sees(':bdat FILE')
    await hand.types(':nonsense\r')
    await hand.sees('unknown word `:nonsense`')
    await hand.types(':send RSET\\r\\nNOOP\\r\\n\r')
    await hand.sees('\x1b[36mC:\x1b[39m RSET')
    await hand.sees('\x1b[36mC:\x1b[39m NOOP')
    await hand.sees('command not understood')
    await hand.types('DATA\r')
    await hand.sees('content now')
    await hand.types('.x\r')
    await hand.sees(dim('-- a dot was added'))
    await hand.types('.\r')
    await hand.sees('answers for it')
    await hand.types('\x04')
    const { code, screen } = await hand.ended()
    expect(code).toBe(0)
    expect(screen).toContain('\x1b[36mC:\x1b[39m QUIT')
    // What was typed is not shown a second time.
    expect(screen).not.toContain('\x1b[36mC:\x1b[39m EHLO')
    await server.settled()
    expect(server.conversation.commands).toEqual([
      'EHLO me.test',
      'RCPT TO:<x@y.test>',
      'RSET',
      'NOOP',
      'DATA',
      'QUIT',
    ])
    expect(server.conversation.contents.map(String)).toEqual(['..x\r\n'])
  })

  test('a line can be edited, called back and completed', async () => {
    const { hand, server } = await sitDown(ordinary())
    await hand.sees('ready for EHLO')
    await hand.types('NOOq\x7fP\r')
    await hand.sees('500 5.5.2')
    await hand.types('\x1b[A\r')
    await hand.sees('500 5.5.2')
    await hand.types('RS')
    await hand.sees('RS')
    await hand.types('\t')
    await hand.sees('ET')
    await hand.types('\r')
    await hand.sees('the transaction is forgotten')
    await hand.types('\x04')
    await hand.ended()
    await server.settled()
    expect(server.conversation.commands).toEqual(['NOOP', 'NOOP', 'RSET', 'QUIT'])
  })

  test('a server that is silent, or hangs up, is told of; the first is no end', async () => {
    const { hand } = await sitDown(async (client: Conversation) => {
      await client.reply('220 hi')
      await client.command()
      await client.command()
      await client.reply('421 4.3.2 \x1b[2Jgoing down')
      client.close()
    }, '--timeout 2s')
    await hand.sees('ready for EHLO')
    await hand.types('EHLO me.test\r')
    await hand.sees('no end of the reply to EHLO within 2000 ms')
    await hand.types('NOOP\r')
    await hand.sees('421 4.3.2 \\x1b[2Jgoing down')
    await hand.sees('the peer closed the connection')
    expect(await hand.ended()).toMatchObject({ code: 75 })
  })

  test('a server that hangs up at once leaves no prompt to wait at', async () => {
    const { hand } = await sitDown((client: Conversation) => Promise.resolve(client.close()))
    const { code, screen } = await hand.ended()
    expect(code).toBe(75)
    expect(screen).toContain('the peer closed the connection')
  })

  test('Ctrl-C hangs up', async () => {
    const { hand, server } = await sitDown(ordinary())
    await hand.sees('ready for EHLO')
    await hand.types('\x03')
    expect(await hand.ended()).toMatchObject({ code: 130 })
    await server.settled()
    expect(server.conversation.commands).toEqual([])
  })
})
