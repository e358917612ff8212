/** Programs that people hand mail in with. What is not installed is skipped and said so. */
import { spawn } from 'node:child_process'
import { createTransport, type SendMailOptions, type TransportOptions } from 'nodemailer'
import { describe, expect, test } from 'vitest'
import { findClient } from '../support/mta/client-program.ts'
import { certificates, hostname, start } from './client.ts'

const run = (file: string, args: readonly string[], input = '') =>
  new Promise<{ code: number | null; output: string }>((resolve) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (octets) => {
      output += octets
    })
    child.stderr.on('data', (octets) => {
      output += octets
    })
    child.on('close', (code) => resolve({ code, output }))
    child.stdin.end(input)
  })

const portOf = (address = '') => Number(address.split(':').at(-1))
const strangers = {
  isLoopback: () => false,
  tls: certificates.kinds.trusted,
  authenticator: {
    authenticate: async ({ name, password }: { name: string; password: string }) => {
      if (name === 'alice' && password === 'secret') return name
      throw new Error('wrong')
    },
  },
}

describe('nodemailer', () => {
  const send = async (address: string | undefined, options: object, mail: SendMailOptions) => {
    const transport = createTransport({
      host: '127.0.0.1',
      port: portOf(address),
      tls: { ca: certificates.ca, servername: hostname },
      ...options,
    } as TransportOptions)
    const info = (await transport.sendMail(mail)) as unknown as { response: string }
    transport.close()
    return info.response
  }
  const mail = {
    from: 'alice@sender.test',
    to: 'bob@example.test',
    bcc: 'carol@example.test',
    text: 'dots:\n.\n..\n',
  }

  test('hands in a message with attachment, Bcc and lines of dots', async () => {
    await using server = await start()
    const attachments = [{ filename: 'a.bin', content: Buffer.alloc(200_000, 7) }]
    expect(await send(server.submission.addresses[0], {}, { ...mail, attachments })).toBe(
      '250 2.0.0 Ok: queued as Q1',
    )
    const [only] = server.accepted
    expect(only?.mail.envelope.recipients.map(({ address }) => address.localPart)).toEqual(['bob', 'carol'])
    expect(only?.content).not.toContain('carol')
    expect(only?.content).toContain('dots:\r\n.\r\n..\r\n')
  })

  test('logs in over STARTTLS with PLAIN and with LOGIN', async () => {
    await using server = await start(strangers)
    const auth = { user: 'alice', pass: 'secret' }
    for (const authMethod of ['PLAIN', 'LOGIN']) {
      expect(
        await send(server.submission.addresses[0], { auth, authMethod, requireTLS: true }, mail),
      ).toMatch(/^250 /)
    }
    expect(server.accepted).toHaveLength(2)
  })

  test('asks for reports (RFC 3461)', async () => {
    await using server = await start()
    const dsn = {
      id: 'a b+c',
      return: 'headers',
      notify: ['success', 'failure'],
      recipient: 'bob@example.test',
    }
    await send(server.submission.addresses[0], {}, { ...mail, dsn } as SendMailOptions)
    const envelope = server.accepted[0]?.mail.envelope
    expect(envelope?.dsn).toEqual({ ret: 'HDRS', envid: 'a b+c' })
    expect(envelope?.recipients[0]?.dsn).toEqual({
      notify: ['SUCCESS', 'FAILURE'],
      orcpt: 'rfc822;bob@example.test',
    })
  })

  test('hands in a UTF-8 address (RFC 6531)', async () => {
    await using server = await start()
    expect(await send(server.submission.addresses[0], {}, { ...mail, to: 'jörg@bücher.test' })).toMatch(
      /^250 /,
    )
    const [recipient] = server.accepted[0]?.mail.envelope.recipients ?? []
    expect(recipient?.address).toEqual({ localPart: 'jörg', domain: 'xn--bcher-kva.test' })
    expect(server.accepted[0]?.content).toContain(' with UTF8SMTP id ')
  })
})

const swaks = findClient('swaks')
describe.skipIf(swaks === null)('swaks', () => {
  test('hands in a message', async () => {
    await using server = await start()
    const { code, output } = await run(swaks ?? '', [
      ...['--server', '127.0.0.1', '--port', `${portOf(server.submission.addresses[0])}`, '--pipeline'],
      ...[
        '--from',
        'alice@sender.test',
        '--to',
        'bob@example.test,carol@example.test',
        '--body',
        'from swaks',
      ],
    ])
    expect(output).toContain('250 2.0.0 Ok: queued as Q1')
    expect(code).toBe(0)
    expect(server.accepted[0]?.mail.envelope.recipients).toHaveLength(2)
    expect(server.accepted[0]?.content).toContain('from swaks\r\n')
  })
})

const python = findClient('python3')
describe.skipIf(python === null)("Python's smtplib", () => {
  const script = (port: number, act: string) => `
import smtplib
server = smtplib.SMTP('127.0.0.1', ${port}, timeout=20)
${act}
server.quit()
`
  test('hands in a message, one recipient refused', async () => {
    await using server = await start()
    const act = `print(server.sendmail('alice@sender.test', ['bob@example.test', 'nobody'], 'Subject: py\\n\\n.dot\\nline\\n'))`
    const { code, output } = await run(
      python ?? '',
      ['-'],
      script(portOf(server.submission.addresses[0]), act),
    )
    expect(output).toContain("{'nobody': (501, b'5.1.3 Malformed address `nobody`")
    expect(code).toBe(0)
    expect(server.accepted[0]?.content).toMatch(/Subject: py\r\n\r\n\.dot\r\nline\r\n$/)
  })

  test('logs in', async () => {
    await using server = await start(strangers)
    const act = `server.starttls(); server.login('alice', 'secret')
server.sendmail('alice@sender.test', ['bob@example.test'], 'Subject: py\\n\\nx\\n')`
    const { output } = await run(python ?? '', ['-'], script(portOf(server.submission.addresses[0]), act))
    expect(output).toBe('')
    expect(server.accepted[0]?.content).toContain(' with ESMTPSA id ')
  })
})

const curl = findClient('curl')
describe.skipIf(curl === null)('curl', () => {
  test('hands in a message', async () => {
    await using server = await start()
    const { code, output } = await run(
      curl ?? '',
      [
        ...['--silent', '--show-error', `smtp://${server.submission.addresses[0]}/client.test`],
        ...['--mail-from', 'alice@sender.test', '--mail-rcpt', 'bob@example.test', '--upload-file', '-'],
      ],
      'From: alice@sender.test\r\nSubject: curl\r\n\r\n.\r\nx\r\n',
    )
    expect({ code, output }).toEqual({ code: 0, output: '' })
    expect(server.accepted[0]?.content).toMatch(/\r\n\r\n\.\r\nx\r\n$/)
  })
})
