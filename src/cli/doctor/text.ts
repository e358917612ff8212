/**
 * What the doctor found, for people. One rule: a line per result that begins with its status, so that `grep ^problem` finds
 * them; evidence and remedies stand below, indented; text of the network is escaped.
 */
import type { DoctorReport } from '../../doctor/report.ts'
import type { CheckResult, CheckStatus, Evidence, Remedy } from '../../doctor/result.ts'
import { escapeText } from '../../log/escape.ts'
import { seconds } from '../report-text.ts'
import type { Paint, Style } from '../terminal.ts'

const styles = {
  ok: 'green',
  warning: 'yellow',
  problem: 'red',
  'cannot-tell': 'cyan',
} as const satisfies Record<CheckStatus, Style>

const LONGEST_STATUS = 'cannot-tell'.length

const INDENT = ' '.repeat(LONGEST_STATUS + 1)

/** How to show a result. */
export interface ResultShowing {
  readonly paint: Paint
  /** Evidence also of what is well. */
  readonly showsAll: boolean
}

/** `problem     SPF: example.org has no SPF record.`, then why and what to do. */
export function resultLines(result: CheckResult, { paint, showsAll }: ResultShowing): string[] {
  const { status, title, subject, summary } = result
  const head = subject === null ? title : `${title} ${escapeText(subject)}`
  const lines = [
    `${paint(styles[status], status.padEnd(LONGEST_STATUS))} ${paint('bold', `${head}:`)} ${escapeText(summary)}`,
  ]
  const isWrong = status !== 'ok'
  if (isWrong || showsAll)
    for (const line of result.evidence.flatMap(evidenceLines)) lines.push(INDENT + paint('dim', line))
  if (isWrong || showsAll) for (const line of result.remedies.flatMap(remedyLines)) lines.push(INDENT + line)
  return lines
}

/** `TXT example.org: "v=spf1 -all"`; of several answers each has its line. */
function evidenceLines({ asked, answers, failure }: Evidence): string[] {
  const question = escapeText(asked)
  const said = failure === null ? answers : [...answers, failure]
  const [first = 'nothing', ...rest] = said.map((text) => escapeText(text))
  return rest.length === 0
    ? [`${question}: ${first}`]
    : [`${question}:`, ...[first, ...rest].map((text) => `  ${text}`)]
}

function remedyLines({ text, paste }: Remedy): string[] {
  if (paste === null) return [`→ ${escapeText(text)}`]
  return [`→ ${escapeText(text)}`, ...paste.split('\n').map((line) => `    ${escapePaste(line)}`)]
}

// Quotes and backslashes belong to what is pasted; escapeText would double them.
function escapePaste(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
}

const verdicts = {
  fit: 'fit to send',
  doubtful: 'fit to send, with doubts',
  unfit: 'not fit to send',
} as const satisfies Record<DoctorReport['verdict'], string>

/** The last line: who, the verdict, and how many of which. */
export function summaryLine(report: DoctorReport, paint: Paint): string {
  const { domain, hostname, addresses, verdict, counts, durationMs } = report
  const parts = (['ok', 'warning', 'problem', 'cannot-tell'] as const).map((status) => {
    const text = `${counts[status]} ${words[status](counts[status])}`
    return counts[status] > 0 ? paint(styles[status], text) : text
  })
  const from = addresses.length === 0 ? '' : ` [${addresses.map(({ ip }) => ip).join(', ')}]`
  const who = `${hostname ?? 'this host'}${from} for ${domain}`
  return `${who}: ${paint('bold', verdicts[verdict])} (${parts.join(', ')}; ${seconds(durationMs)})`
}

const words: Readonly<Record<CheckStatus, (count: number) => string>> = {
  ok: () => 'ok',
  warning: (count) => (count === 1 ? 'warning' : 'warnings'),
  problem: (count) => (count === 1 ? 'problem' : 'problems'),
  'cannot-tell': () => 'cannot tell',
}
