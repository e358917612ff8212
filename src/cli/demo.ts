/**
 * `mxpress demo`: the whole program at work within seconds, on this machine alone. One message goes To, Cc and Bcc to
 * domains of the sandbox that behave as servers out there do, good and bad; what came of it is held against what their
 * names promise, so that the demo is a self-test too.
 */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import { createAgent, type RecipientReport, type SendReport } from '../agent.ts'
import type { DialogueLine } from '../client/dialogue.ts'
import type { Mail } from '../mail/mail.ts'
import type { ExpectedOutcome, Sandbox } from '../sandbox/sandbox.ts'
import { type CommonOptions, newCommand } from './command.ts'
import { demoLines } from './demo-text.ts'
import { type ExitCode, exitCodes } from './exit-code.ts'
import { started } from './sandbox.ts'
import { Stop } from './stop.ts'
import { formatJson, noteLine, paintFor, printLine } from './terminal.ts'

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

/** The command; sets `process.exitCode`. */
export function demoCommand(): Command {
  return newCommand({
    name: 'demo',
    summary: 'send one message into the sandbox and show what happens',
    description:
      'Starts the sandbox, sends one message to a dozen and more of its domains, and shows the dialogue of one of them and what became of every recipient. Needs no network and no privileges; takes a few seconds.',
    examples: ['mxpress demo', 'mxpress demo --json'],
  }).action(async (options: CommonOptions) => {
    process.exitCode = await runDemo(options)
  })
}

async function runDemo({ json }: CommonOptions): Promise<ExitCode> {
  using stop = new Stop()
  const demonstration = await demonstrate(stop.signal).catch((error: unknown) => {
    if (stop.signal.aborted) return null
    throw error
  })
  if (demonstration === null) return stop.exitCode ?? exitCodes.interrupted
  if (json) printLine(formatJson(demonstration))
  else for (const line of demoLines(demonstration, paintFor(process.stdout))) printLine(line)
  const surprises = demonstration.comparisons.filter(({ isExpected }) => !isExpected)
  for (const { recipient, expected } of surprises) {
    noteLine(
      `mxpress: expected ${recipient.address} to be ${expected.outcome}, found ${recipient.outcome} ${recipient.status}`,
    )
  }
  return surprises.length === 0 ? exitCodes.ok : exitCodes.software
}

async function demonstrate(signal: AbortSignal): Promise<Demonstration> {
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

function compare(report: SendReport, sandbox: Sandbox): Comparison[] {
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
