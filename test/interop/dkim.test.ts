/** What arrives is verified by the programs that receivers verify with. */
import path from 'node:path'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAgent, type Mail, startDaemon } from '../../src/index.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { makeKey, verify } from '../support/dkim-keys.ts'
import { type DkimVerifier, findVerifiers } from '../support/mta/dkim-verifier.ts'
import { makeHome, removeHome } from '../support/mta/home.ts'

const rsa = makeKey('sender.test', 'rsa1', 'rsa')
const ed25519 = makeKey('sender.test', 'ed1', 'ed25519')
const keys = [rsa, ed25519]
const records = keys.map(({ record }) => record)
const bothPass = ['pass sender.test ed1', 'pass sender.test rsa1']

const sandbox = await startSandbox({ removeMail: true })
afterAll(() => sandbox.close())

const options = {
  ...sandbox.agentOptions,
  dkim: { 'sender.test': { keys: keys.map(({ selector, keyFile }) => ({ selector, keyFile })) } },
} as const

const raw = (to: string, body: string, ...fields: readonly string[]) =>
  [...fields, 'From: alice@sender.test', `To: ${to}`, 'Subject: Hi', '', body].join('\r\n')

const simple = { from: 'Alice <alice@sender.test>', subject: 'Hi', text: 'Hello\n' }

/**
 * What is sent, by the local part of its recipient. Not here: `Subject : x` and two Subject fields, both of which
 * RFC 5322 no longer allows, and whose signatures Rspamd 3.4 rejects where the others accept them.
 */
const mails: Readonly<Record<string, (to: string) => Mail>> = {
  text: (to) => ({ ...simple, to }),
  html: (to) => ({ ...simple, to, html: '<p>Grüße \u{1f600}</p>' }),
  attachments: (to) => ({
    ...simple,
    to,
    attachments: [
      { filename: 'Größe.bin', content: Buffer.alloc(300_000, 7) },
      { filename: 'a.txt', content: 'x  y \t\n\n\n' },
    ],
  }),
  'eight-bit': (to) => ({ raw: raw(to, 'Grüße  aus \t dem Test \r\n') }),
  'long-headers': (to) => ({
    ...simple,
    to,
    subject: 'A word and '.repeat(300),
    headers: { References: Array.from({ length: 60 }, (_, id) => `<${id}@sender.test>`).join(' ') },
  }),
  'utf8-addresses': (to) => ({ ...simple, from: 'jürgen@sender.test', to: [to, 'björn@accepts.test'] }),
  'empty-body': (to) => ({ raw: raw(to, '') }),
  'trailing-blank-lines': (to) => ({ raw: raw(to, 'x \r\n\r\n \r\n\t\r\n\r\n') }),
  'odd-folding': (to) => ({
    raw: raw(to, 'x\r\n', 'IN-REPLY-TO:  <a@b>\r\n\t <c@d>\t ', 'REPLY-TO:\r\n bob@sender.test'),
  }),
  repeated: (to) => ({
    raw: raw(to, 'x\r\n', 'Comments: 1', 'References: <1@sender.test>', 'References: <2@sender.test>'),
  }),
}

/** Every message by its name, as it arrived. */
async function deliverAll(): Promise<ReadonlyMap<string, Uint8Array>> {
  await using agent = createAgent(options)
  for (const [name, mail] of Object.entries(mails)) await agent.send(mail(`${name}@accepts.test`))
  await agent.send({ raw: raw('seven-bit@no-8bitmime.test', 'Grüße\r\n') })
  await submit('submitted@accepts.test')
  const arrived = new Map<string, Uint8Array>()
  for (const { recipient, content } of await sandbox.received()) {
    arrived.set(recipient.split('@')[0] ?? '', content)
  }
  return arrived
}

async function submit(to: string): Promise<void> {
  await using ending = new AsyncDisposableStack()
  const home = await makeHome('dkim')
  ending.defer(() => removeHome(home))
  const queue = { dir: path.join(home, 'queue') }
  await using daemon = await startDaemon({ ...options, queue, submission: { listen: ['127.0.0.1:0'] } })
  const results = daemon.agent.results()
  const port = Number(daemon.addresses[0]?.split(':').at(-1))
  await createTransport({ host: '127.0.0.1', port, ignoreTLS: true }).sendMail({
    ...simple,
    to,
    html: '<p>Hello</p>',
  })
  await results.next()
}

let arrived: ReadonlyMap<string, Uint8Array>
beforeAll(async () => {
  arrived = await deliverAll()
})

const mailauth: DkimVerifier = {
  verify: async (content) => [...(await verify(content, keys))].sort(),
  [Symbol.asyncDispose]: async () => {},
}

const verifiers = new Map([...findVerifiers(), ['mailauth', async () => mailauth] as const])

for (const [name, start] of verifiers) {
  describe.skipIf(start === null)(
    `${name} verifies both signatures${start === null ? ' (skipped: missing)' : ''}:`,
    () => {
      let verifier: DkimVerifier | undefined
      beforeAll(async () => {
        verifier = await start?.(records)
      }, 90_000)
      afterAll(async () => {
        await verifier?.[Symbol.asyncDispose]()
      })

      test.each([...Object.keys(mails), 'seven-bit', 'submitted'])('%s', async (mail) => {
        expect(await verifier?.verify(arrived.get(mail) ?? new Uint8Array())).toEqual(bothPass)
      })

      test('and sees one that was broken', async () => {
        const text = Buffer.from(arrived.get('text') ?? []).toString('latin1')
        const broken = await verifier?.verify(Buffer.from(text.replace('Hello', 'Hallo'), 'latin1'))
        expect(broken?.some((verdict) => verdict.startsWith('pass'))).toBe(false)
      })
    },
  )
}
