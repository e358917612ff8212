/** Programs that people use hand in mail to a running daemon, which delivers it into the sandbox. */
import PostalMime from 'postal-mime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ReceivedMail, type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { queueOf } from '../cli/serving.ts'
import { findClient } from '../support/mta/client-program.ts'
import { waitUntil } from '../support/mta/wait-until.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { type HandedIn, type Way, ways } from './handing-in.ts'
import { type ServingDaemon, serve } from './serving.ts'

const maxSizeOctets = 100_000
const everyOctet = Buffer.from(Array.from({ length: 1024 }, (_, octet) => octet % 256))

let sandbox: Sandbox
let daemon: ServingDaemon
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true })
  const { dns, port, agentOptions } = sandbox
  const target = ['--dns', dns, '--port', `${port}`, '--allow-local-addresses']
  daemon = await serve({
    args: [...target, '--hostname', agentOptions.hostname],
    env: { MXPRESS_SUBMISSION_MAX_SIZE: `${maxSizeOctets}B` },
  })
})
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await sandbox?.close()
})

/** Names of this way's own, so that all can share the sandbox. */
function mailBy({ title, canAttach }: Way, text: string): HandedIn {
  const name = title.toLowerCase().replaceAll(/[^a-z]+/g, '-')
  return {
    to: `${name}-to@accepts.test`,
    cc: `${name}-cc@accepts.test`,
    bcc: `${name}-hidden@accepts.test`,
    subject: 'Grüße aus dem Test',
    text,
    attachment: canAttach ? everyOctet : null,
  }
}

const arrivedFor = ({ to, cc, bcc }: HandedIn) =>
  Promise.all([to, cc, bcc].map((recipient) => sandbox.received({ recipient })))

for (const way of ways) {
  const file = way.program === null ? '' : findClient(way.program)
  const title = file === null ? `${way.title} (skipped: no ${way.program})` : way.title

  describe.skipIf(file === null)(title, () => {
    test('hands in a mail with Cc and Bcc that arrives as it was, and ends with 0', async () => {
      const mail = mailBy(way, 'Größe 1 € \n.dot\n.\n..\n\nlast\n')
      const setting = { file: file ?? '', daemon, cwd: await temporaryDirectory() }
      const { code, output } = await way.handIn(mail, setting)
      expect(code, output).toBe(0)
      const copies = await waitUntil(
        async () => {
          const arrived = await arrivedFor(mail)
          return arrived.every((received) => received.length > 0) ? arrived.flat() : undefined
        },
        30_000,
        () => `${mail.to}, ${mail.cc} and ${mail.bcc} have their mail`,
      )
      expect(copies).toHaveLength(3)
      for (const copy of copies) await expectToBe(mail, copy, way)
    })

    test('says by its exit code that a mail is too large, and nothing of it arrives', async () => {
      const mail = mailBy(
        { ...way, title: `large ${way.title}` },
        'A line of text.\n'.repeat(maxSizeOctets / 10),
      )
      const setting = { file: file ?? '', daemon, cwd: await temporaryDirectory() }
      const { code, output } = await way.handIn(mail, setting)
      if (way.refused === null) expect(code, output).not.toBe(0)
      else expect(code, output).toBe(way.refused)
      // Our words over SMTP, those of our sendmail, or its exit code.
      expect(output).toMatch(/5\.3\.4|larger than|code 65/)
      expect(await queueOf(daemon.cwd)).toEqual([])
      expect((await arrivedFor(mail)).flat()).toEqual([])
    })
  })
}

async function expectToBe(
  mail: HandedIn,
  { reversePath, content }: ReceivedMail,
  { is8bit }: Way,
): Promise<void> {
  expect(reversePath).toBe('alice@sender.test')
  const parsed = await PostalMime.parse(content, { attachmentEncoding: 'arraybuffer' })
  expect(parsed.subject).toBe(mail.subject)
  expect(parsed.to).toMatchObject([{ address: mail.to }])
  expect(parsed.cc).toMatchObject([{ address: mail.cc }])
  // swaks and mutt write a blank line behind it.
  expect(parsed.text?.trimEnd()).toBe(mail.text.trimEnd())
  expect(parsed.attachments.map((attachment) => Buffer.from(attachment.content as ArrayBuffer))).toEqual(
    mail.attachment === null ? [] : [mail.attachment],
  )
  const octets = Buffer.from(content).toString('latin1')
  if (is8bit) expect(octets).toContain(Buffer.from(mail.text.replaceAll('\n', '\r\n')).toString('latin1'))
  expect(octets).not.toMatch(/^bcc:/im)
  expect(octets).not.toContain(mail.bcc)
  expect(octets.match(/^(From|To|Cc|Subject|Date|Message-ID):/gim)).toHaveLength(6)
}
