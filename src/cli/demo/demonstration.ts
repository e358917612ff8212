/**
 * What the demo does: one message goes To, Cc and Bcc to domains of the sandbox that behave as servers out there do, good
 * and bad, and what came of it is held against what their names promise.
 */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createAgent, type RecipientReport, type SendReport } from '../../agent.ts'
import type { DialogueLine } from '../../client/dialogue.ts'
import type { Mail } from '../../mail/mail.ts'
import type { ExpectedOutcome, Sandbox } from '../../sandbox/sandbox.ts'
import { started } from '../sandbox.ts'

/** The domain whose dialogue is shown: everything a session can have is in it. */
const SHOWN = 'good-certificate.test'

const to = [
  SHOWN,
  'second-exchanger.test',
  'no-mx.test',
  'unknown-mailbox.test',
  'greylists.test',
  'null-mx.test',
]
const cc = ['no-tls.test', 'self-signed.test', 'broken-handshake.test', 'mailbox-full.test', 'slow.test']
const bcc = [
  'accepts.test',
  'drops-after-dot.test',
  'no-such-domain.test',
  'dns-servfail.test',
  'chunking.test',
]

/** A recipient's outcome and what its domain promised. */
export interface Comparison {
  readonly recipient: RecipientReport
  readonly expected: ExpectedOutcome
  readonly isExpected: boolean
}

/** All there is to show. */
export interface Demonstration {
  readonly report: SendReport
  readonly comparisons: readonly Comparison[]
  /** The sessions with one of the domains. */
  readonly dialogue: readonly DialogueLine[]
  readonly logFile: string
  readonly mailDir: string
}

/** Starts the sandbox, sends, compares, and ends the sandbox; log and mail stay. @throws `signal.reason` {StartError} */
export async function demonstrate(signal: AbortSignal): Promise<Demonstration> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mxpress-demo-'))
  await using sandbox = await started({ mailDir: path.join(directory, 'mail') })
  const caFile = path.join(directory, 'sandbox-ca.pem')
  await writeFile(caFile, sandbox.ca)
  const logFile = path.join(directory, 'mxpress.log')
  const dialogue: DialogueLine[] = []
  await using agent = createAgent(
    { ...sandbox.agentOptions, tls: { caFile }, log: { file: logFile } },
    { trace: (line) => void (line.target.includes(SHOWN) && dialogue.push(line)) },
  )
  const report = await agent.send(mailTo(sandbox), { signal })
  return { report, comparisons: compare(report, sandbox), dialogue, logFile, mailDir: sandbox.mailDir }
}

function mailTo(sandbox: Sandbox): Mail {
  const mailboxes = new Map(sandbox.domains.map(({ domain, mailbox }) => [domain, mailbox]))
  const list = (domains: readonly string[]) =>
    domains.map((domain) => mailboxes.get(domain) ?? `user@${domain}`)
  return {
    from: 'Alice <alice@sender.test>',
    to: list(to),
    cc: list(cc),
    bcc: list(bcc),
    subject: 'Grüße from the demo',
    text: 'This message went straight to the exchangers of its recipients.\n\n.A line that begins with a dot.\n',
    html: '<p>This message went straight to the exchangers of its recipients.</p>',
  }
}

/** Holds each outcome against what its domain promises: outcome, certainty, and the status where there is one right one. */
export function compare(
  report: Pick<SendReport, 'recipients'>,
  sandbox: Pick<Sandbox, 'domains'>,
): Comparison[] {
  const promises = new Map(sandbox.domains.map(({ mailbox, expected }) => [mailbox, expected]))
  return report.recipients.map((recipient) => {
    const expected = promises.get(recipient.address) ?? { outcome: 'delivered' }
    return { recipient, expected, isExpected: isAsExpected(recipient, expected) }
  })
}

function isAsExpected({ outcome, uncertain, status }: RecipientReport, expected: ExpectedOutcome): boolean {
  const isSameStatus = expected.status === undefined || expected.status === status
  return outcome === expected.outcome && uncertain === (expected.uncertain ?? false) && isSameStatus
}
