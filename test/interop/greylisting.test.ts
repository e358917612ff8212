/** A daemon and a real Postfix that greylists and reports: what is deferred arrives, once; what fails comes back. */
import { createTransport } from 'nodemailer'
import PostalMime, { type Email } from 'postal-mime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../cli/run.ts'
import { eventually, queueOf } from '../cli/serving.ts'
import type { Mta } from '../support/mta/mta.ts'
import { type Greylist, startGreylist } from './greylist.ts'
import { describeServer, type ServerOptions } from './server.ts'
import { type ServingDaemon, serve } from './serving.ts'
import { returnPathOf } from './stored.ts'

const domain = 'postfix.test'
const mailboxes = ['bounced', 'reported', 'asked', 'unasked', 'wished', 'relayed']

let greylist: Greylist | undefined
afterAll(() => greylist?.close())

const deferral = (recipient: string) =>
  recipient.startsWith('asked@')
    ? '4.2.0 Greylisted, please try again in 120 seconds'
    : '4.7.1 Greylisted, see the manual'

async function greylisting(): Promise<ServerOptions> {
  greylist = await startGreylist(deferral)
  return { mailboxes, policyPort: greylist.port }
}

const askedAbout = (user: string) => greylist?.asked(`${user}@${domain}`) ?? []

/** Declares a daemon for the suite's server; what is not asked otherwise is tried again after a second. */
function serving(server: () => Mta): () => ServingDaemon {
  let daemon: ServingDaemon | undefined
  beforeAll(async () => {
    const { ip, port } = server()
    daemon = await serve({
      args: ['--hostname', 'sender.test', '--route', `${domain}=${ip}:${port}`],
      env: { MXPRESS_QUEUE_RETRY_FIRST: '1s', MXPRESS_QUEUE_RETRY_MAX: '1s' },
    })
  })
  afterAll(() => daemon?.[Symbol.asyncDispose]())
  return () => daemon ?? notStarted()
}

function notStarted(): never {
  throw new Error('The daemon of this suite was not started')
}

/** Hands a mail to the daemon; both are users of Postfix. */
async function submit(daemon: ServingDaemon, { from, to, ...more }: SubmittedMail): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port: daemon.port, ignoreTLS: true })
  const addresses = { from: `${from}@${domain}`, to: `${to}@${domain}` }
  await transport.sendMail({ ...addresses, subject: `for ${to}`, text: 'hello\n', ...more })
  transport.close()
}

interface SubmittedMail {
  readonly from: string
  readonly to: string
  readonly dsn?: {
    readonly id: string
    readonly return: 'headers'
    readonly notify: ('success' | 'failure')[]
    readonly recipient: string
  }
}

/** The queue once it holds what is wanted. */
const queueWhen = (daemon: ServingDaemon, holds: (entries: Awaited<ReturnType<typeof queueOf>>) => boolean) =>
  eventually(() => queueOf(daemon.cwd), holds)

const isEmpty = (entries: readonly unknown[]) => entries.length === 0

/** The only mail of a mailbox, a report, read by a parser that is not ours; `status`: its fields, unfolded. */
async function readReport(
  stored: readonly Buffer[],
): Promise<{ readonly mail: Email; readonly status: string }> {
  expect(stored).toHaveLength(1)
  const options = { attachmentEncoding: 'utf8', forceRfc822Attachments: true } as const
  const mail = await PostalMime.parse(stored[0] ?? '', options)
  const report = mail.attachments.find(({ mimeType }) => mimeType === 'message/delivery-status')
  return { mail, status: `${report?.content}`.replaceAll(/\r?\n[ \t]+/g, ' ') }
}

const wishesOf = (recipient: string): NonNullable<SubmittedMail['dsn']> => ({
  id: 'order 7+8',
  return: 'headers',
  notify: ['success', 'failure'],
  recipient: `${recipient}@${domain}`,
})

describeServer('postfix', 'Postfix that greylists', greylisting, (server) => {
  const daemon = serving(server)

  test('mail waits as long as the reply asks, and arrives once when it is tried again', async () => {
    await submit(daemon(), { from: 'bounced', to: 'asked' })
    const [entry] = await queueWhen(daemon(), ([first]) => first?.attempts === 1)
    expect(entry).toMatchObject({
      state: 'ready',
      uncertain: false,
      diagnostic: expect.stringMatching(/^450 4\.2\.0 .*try again in 120 seconds/),
    })
    const { cwd } = daemon()
    const shown = JSON.parse((await run(['queue', 'show', `${entry?.id}`, '--json'], { cwd })).stdout)
    expect(shown.history).toMatchObject([{ outcome: 'deferred', status: '4.2.0', stage: 'rcpt' }])
    const [{ startedAt, durationMs }] = shown.history
    const waitMs = Date.parse(shown.dueAt) - (Date.parse(startedAt) + durationMs)
    // Times are shown in whole milliseconds; up to 10 s more are given, to clocks of another pace.
    expect(waitMs).toBeGreaterThanOrEqual(119_900)
    expect(await server().mailbox('asked')).toEqual([])

    expect(await run(['queue', 'retry', '--all'], { cwd })).toMatchObject({ code: 0 })
    await server().waitForMail('asked', 1)
    await queueWhen(daemon(), isEmpty)
    expect(await server().mailbox('asked')).toHaveLength(1)
    const questions = askedAbout('asked')
    expect(questions).toHaveLength(2)
    // The same address again: a greylist takes another one for another client.
    expect(new Set(questions.map(({ client_address }) => client_address)).size).toBe(1)
  })

  test('mail whose reply names no time is tried again by itself, and arrives once', async () => {
    await submit(daemon(), { from: 'bounced', to: 'unasked' })
    await server().waitForMail('unasked', 1)
    await queueWhen(daemon(), isEmpty)
    expect(await server().mailbox('unasked')).toHaveLength(1)
    expect(askedAbout('unasked')).toHaveLength(2)
  })

  test('the report on an unknown mailbox is greylisted as well, and arrives (RFC 3464)', async () => {
    await submit(daemon(), { from: 'bounced', to: 'nobody' })
    const stored = await server().waitForMail('bounced', 1)
    await queueWhen(daemon(), isEmpty)
    expect(stored.map(returnPathOf)).toEqual(['<>'])
    expect(askedAbout('bounced').map(({ sender }) => sender)).toEqual(['', ''])
    const { mail, status } = await readReport(stored)
    expect(mail.headers).toContainEqual(
      expect.objectContaining({
        key: 'content-type',
        value: expect.stringMatching(/^multipart\/report;.*report-type="?delivery-status"?/s),
      }),
    )
    expect(mail).toMatchObject({
      to: [{ address: `bounced@${domain}` }],
      text: expect.stringContaining(`nobody@${domain}`),
      attachments: [
        { mimeType: 'message/delivery-status' },
        { content: expect.stringContaining('Subject: for nobody') },
      ],
    })
    expect(status).toMatch(/^Reporting-MTA: dns; ?sender\.test$/m)
    expect(status).toMatch(/^Final-Recipient: rfc822; ?nobody@postfix\.test$/m)
    expect(status).toMatch(/^Action: failed$/m)
    expect(status).toMatch(/^Status: 5\.1\.1$/m)
    expect(status).toMatch(
      /^Diagnostic-Code: smtp; ?550 5\.1\.1 <nobody@postfix\.test>: Recipient address rejected: /m,
    )
  })

  test('wishes about reports outlast the wait, and the report of success is that of Postfix alone (RFC 3461 §5.2.1)', async () => {
    await submit(daemon(), { from: 'reported', to: 'wished', dsn: wishesOf('wished') })
    await server().waitForMail('wished', 1)
    await queueWhen(daemon(), isEmpty)
    const { status } = await readReport(await server().waitForMail('reported', 1))
    expect(status).toMatch(/^Reporting-MTA: dns; mx\.postfix\.test$/m)
    expect(status).toMatch(/^Original-Envelope-Id: order 7\+8$/m)
    expect(status).toMatch(/^Original-Recipient: rfc822; ?wished@postfix\.test$/m)
    expect(status).toMatch(/^Action: delivered$/m)
    // One of ours would have been asked about; what Postfix itself writes is not.
    expect(askedAbout('reported')).toEqual([])
  })
})

const plain: ServerOptions = { mailboxes, withhold: ['DSN'] }
describeServer('postfix', 'Postfix that does not offer DSN', plain, (server) => {
  const daemon = serving(server)

  test('the report of success is ours and says relayed (RFC 3461 §5.2.2, RFC 3464 §2.3.3)', async () => {
    await submit(daemon(), { from: 'reported', to: 'relayed', dsn: wishesOf('relayed') })
    await server().waitForMail('relayed', 1)
    const stored = await server().waitForMail('reported', 1)
    await queueWhen(daemon(), isEmpty)
    const { status } = await readReport(stored)
    expect(status).toMatch(/^Reporting-MTA: dns; ?sender\.test$/m)
    expect(status).toMatch(/^Original-Envelope-Id: order 7\+8$/m)
    expect(status).toMatch(/^Original-Recipient: rfc822; ?relayed@postfix\.test$/m)
    expect(status).toMatch(/^Action: relayed$/m)
  })
})
