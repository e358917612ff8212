/** The transport as programs use it: nodemailer itself, of two generations, in front of it, the simulated internet behind. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import nodemailer from 'nodemailer'
import { afterAll, describe, expect, test } from 'vitest'
import { createTransport, type SentMessageInfo } from '../../src/adapters/nodemailer.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'

// It brings no types.
const nodemailer7: typeof nodemailer = createRequire(import.meta.url)('nodemailer7')
const sandbox = await startSandbox({ removeMail: true })
afterAll(() => sandbox.close())

const mail = { from: 'Alice <alice@sender.test>', subject: 'Grüße', text: 'Hello\n' }
const contentFor = async (recipient: string): Promise<string> => {
  const [received] = await sandbox.received({ recipient })
  return Buffer.from(received?.content ?? []).toString()
}

const generations = [
  ['nodemailer 10', nodemailer],
  ['nodemailer 7', nodemailer7],
] as const

describe.each(generations)('%s', (name, { createTransport: create }) => {
  const local = name.replace(' ', '-')

  test('a message that every recipient accepts resolves with what its users read', async () => {
    await using transport = createTransport(sandbox.agentOptions)
    const transporter = create(transport)
    const to = `${local}@accepts.test`
    const bcc = `${local}-hidden@accepts.test`
    const info: SentMessageInfo = await transporter.sendMail({ ...mail, to, bcc })
    expect(info).toEqual({
      accepted: expect.arrayContaining([to, bcc]),
      rejected: [],
      pending: [],
      rejectedErrors: [],
      pendingErrors: [],
      recipients: [
        expect.objectContaining({ outcome: 'delivered', exchanger: 'mx.accepts.test' }),
        expect.objectContaining({ outcome: 'delivered' }),
      ],
      envelope: { from: 'alice@sender.test', to: [to, bcc] },
      messageId: expect.stringMatching(/^<.+@sender\.test>$/),
      response: expect.stringMatching(/^250 2\./),
      messageSize: expect.any(Number),
      messageTime: expect.any(Number),
    })
    const content = await contentFor(bcc)
    expect(content).toContain(`Message-ID: ${info.messageId}\r\n`)
    expect(content).toContain('Subject: =?UTF-8?')
    expect(content).not.toMatch(/bcc/i)
    expect(Buffer.byteLength(content)).toBe(info.messageSize)
  })

  test('some accepted: it resolves and names the others with the words of their servers', async () => {
    await using transport = createTransport(sandbox.agentOptions)
    const to = ['a@accepts.test', 'b@unknown-mailbox.test', 'c@mailbox-full.test']
    const info = await create(transport).sendMail({ ...mail, to })
    expect(info).toMatchObject({
      accepted: ['a@accepts.test'],
      rejected: ['b@unknown-mailbox.test'],
      pending: ['c@mailbox-full.test'],
      rejectedErrors: [
        {
          code: 'EENVELOPE',
          command: 'RCPT TO',
          responseCode: 550,
          response: expect.stringMatching(/^550 5\.1\.1 /),
          recipient: 'b@unknown-mailbox.test',
          permanent: true,
          status: '5.1.1',
        },
      ],
      pendingErrors: [{ responseCode: 452, permanent: false, uncertain: false }],
    })
  })

  test('with a callback it calls back, once', async () => {
    await using transport = createTransport(sandbox.agentOptions)
    const calls: unknown[] = []
    await new Promise<void>((resolve) =>
      create(transport).sendMail({ ...mail, to: 'callback@accepts.test' }, (error, info) => {
        calls.push([error, info.accepted])
        resolve()
      }),
    )
    expect(calls).toEqual([[null, ['callback@accepts.test']]])
  })

  test("its own `dkim` option signs, and the signature's body hash is that of what arrives", async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const dkim = {
      domainName: 'sender.test',
      keySelector: 'mx1',
      privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    }
    await using transport = createTransport(sandbox.agentOptions)
    const to = `${local}-signed@accepts.test`
    await create(transport).sendMail({ ...mail, to, dkim })
    const content = await contentFor(to)
    const [, bodyHash] = /DKIM-Signature:[\s\S]*?bh=([^;]+);/.exec(content) ?? []
    const body = content.slice(content.indexOf('\r\n\r\n') + 4)
    expect(bodyHash?.replace(/\s/g, '')).toBe(createHash('sha256').update(body).digest('base64'))
  })

  test('streamed attachments arrive, and one that breaks is an error before anything is sent', async () => {
    await using transport = createTransport(sandbox.agentOptions)
    const transporter = create(transport)
    const to = `${local}-stream@accepts.test`
    const attach = (content: Readable) => [{ filename: 'a.bin', content }]
    await transporter.sendMail({ ...mail, to, attachments: attach(Readable.from([Buffer.alloc(90_000, 1)])) })
    expect((await contentFor(to)).match(/AQEB/g)).toHaveLength(30_000)
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(10)
        throw new Error('the disk broke')
      })(),
    )
    const sending = transporter.sendMail({
      ...mail,
      to: `${local}-b@accepts.test`,
      attachments: attach(broken),
    })
    await expect(sending).rejects.toThrow('the disk broke')
    expect(await sandbox.received({ recipient: `${local}-b@accepts.test` })).toEqual([])
  })
})
