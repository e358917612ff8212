/** `mxpress talk` with real servers: what a script says arrives as it was meant, and what they refuse is seen. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { emptyDirectory, type Finished, run } from '../cli/run.ts'
import type { MtaName } from '../support/mta/installation.ts'
import type { Mta } from '../support/mta/mta.ts'
import { describeServer } from './server.ts'

const servers: readonly {
  readonly name: MtaName
  readonly title: string /** STARTTLS, CHUNKING and PIPELINING; what Debian has of OpenSMTPD breaks every handshake (its issue 1171). */
  readonly hasMore: boolean
}[] = [
  { name: 'postfix', title: 'Postfix', hasMore: true },
  { name: 'exim', title: 'Exim', hasMore: true },
  { name: 'opensmtpd', title: 'OpenSMTPD', hasMore: false },
]

/** Runs a script against the server, which is trusted; `m.eml` lies beside it. */
async function follow(mta: Mta, lines: readonly string[]): Promise<Finished> {
  const cwd = await emptyDirectory()
  await writeFile(path.join(cwd, 's.rc'), `${lines.join('\n')}\n`)
  await writeFile(path.join(cwd, 'm.eml'), 'Subject: from a file\n\n.dot\n..\nend\n')
  const env = { MXPRESS_TLS_CA_FILE: mta.certificateFile }
  return run(['talk', `${mta.ip}:${mta.port}`, '--script', 's.rc', '--timeout', '30s'], { cwd, env })
}

const textOf = async (mta: Mta, user: string): Promise<string> => {
  const [stored = Buffer.alloc(0)] = await mta.waitForMail(user, 1)
  const text = stored.toString().replaceAll('\r\n', '\n')
  return text.slice(text.indexOf('\n\n') + 2)
}

for (const { name, title, hasMore } of servers) {
  const mailboxes = ['typed', 'file', 'chunk', 'piped']
  describeServer(name, title, { mailboxes }, (server) => {
    test('a file arrives by DATA as it is', async () => {
      const mta = server()
      const to = `RCPT TO:<file@${mta.domain}>`
      const { code, stderr } = await follow(mta, [
        'EHLO c.test',
        'MAIL FROM:<>',
        to,
        ':data m.eml',
        ':expect 250',
      ])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(await textOf(mta, 'file')).toBe('.dot\n..\nend\n')
    })

    test('what it refuses ends a script that did not expect it, and half a message is not delivered', async () => {
      const mta = server()
      const refused = await follow(mta, [
        'EHLO c.test',
        'MAIL FROM:<>',
        'RCPT TO:<a@elsewhere.test>',
        'DATA',
        'x',
        '.',
      ])
      expect(refused).toMatchObject({
        code: expect.toSatisfy((code) => code === 69 || code === 75),
        stderr: expect.stringMatching(/expected 2xx or 3xx to RCPT, found [45]5\d /),
      })
      const nonsense = await follow(mta, [
        'EHLO c.test',
        'XYZZY',
        ':expect 50x',
        'RCPT TO:<typed>',
        ':expect 503',
      ])
      expect(nonsense.code).toBe(0)
    })

    if (!hasMore) return

    test('a message typed under STARTTLS arrives, its dots as they were typed', async () => {
      const mta = server()
      const { code, stdout, stderr } = await follow(mta, [
        ':expect 220',
        'EHLO client.test',
        'STARTTLS',
        ':expect 220',
        'EHLO client.test',
        'MAIL FROM:<alice@sender.test>',
        `RCPT TO:<nobody@${mta.domain}>`,
        ':expect 550',
        `RCPT TO:<typed@${mta.domain}>`,
        'DATA',
        'Subject: typed',
        '',
        '.dot',
        '..',
        ':expect is content',
        '.',
        ':expect 250',
        'QUIT',
        ':expect 221',
        ':expect close',
      ])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(/-- TLSv1\.[23] \S+, certificate verified\n.* -- certificate for mx\./)
      expect(await textOf(mta, 'typed')).toBe('.dot\n..\n:expect is content\n')
    })

    test('and by BDAT', async () => {
      const mta = server()
      const to = `RCPT TO:<chunk@${mta.domain}>`
      const { code, stderr } = await follow(mta, [
        'EHLO c.test',
        'MAIL FROM:<>',
        to,
        ':bdat m.eml',
        ':expect 250',
      ])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(await textOf(mta, 'chunk')).toBe('.dot\n..\nend\n')
    })

    test('commands said at once are answered in order (RFC 2920)', async () => {
      const mta = server()
      const { code, stderr } = await follow(mta, [
        'EHLO c.test',
        `:send MAIL FROM:<>\\r\\nRCPT TO:<nobody@${mta.domain}>\\r\\nRCPT TO:<piped@${mta.domain}>\\r\\nDATA\\r\\n`,
        ':expect 250',
        ':expect 550',
        ':expect 250',
        ':expect 354',
        'Subject: piped',
        '',
        'x',
        '.',
      ])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(await textOf(mta, 'piped')).toBe('x\n')
    })
  })
}
