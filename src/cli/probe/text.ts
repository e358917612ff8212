/**
 * A report for people: a matrix of addresses against stages, then the verdict. One rule: the verdict's line begins with the
 * verdict, so that `grep ^rejects` finds it; text of the network is escaped.
 */
import { escapeText } from '../../log/escape.ts'
import { type Answer, answerOf } from '../../probe/answer.ts'
import type {
  AddressReport,
  ExchangerReport,
  ProbeReport,
  ProbeStage,
  StageReport,
} from '../../probe/report.ts'
import { probeStages } from '../../probe/report.ts'
import type { ProbeSummary } from '../../probe/summary.ts'
import type { Verdict } from '../../probe/verdict.ts'
import { type Cell, tableLines } from '../table.ts'
import type { Paint, Style } from '../terminal.ts'

const answerStyles = { yes: 'green', undecided: 'yellow', no: 'red' } as const satisfies Record<Answer, Style>

const LONGEST_VERDICT = 'unreachable'.length
/** Of what is said beside the matrix; the verdict has it in full. */
const LONGEST_REMARK = 100

/** How much is shown. */
export interface ProbeTextOptions {
  /** The matrix too. */
  readonly matrix: boolean
  readonly paint: Paint
}

/** The lines on one target. */
export function probeLines(report: ProbeReport, { matrix, paint }: ProbeTextOptions): string[] {
  const transcripts = report.exchangers.flatMap((exchanger) =>
    exchanger.addresses.flatMap((address) => transcriptLines(exchanger, address, paint)),
  )
  if (!matrix) return [...transcripts, verdictLine(report, paint)]
  return [
    ...matrixLines(report, paint),
    ...transcripts,
    verdictLine(report, paint),
    `${' '.repeat(LONGEST_VERDICT)} ${escapeText(meaningOf(report))}`,
    ...besideLines(report),
    '',
  ]
}

/** `accepts     bob@example.test mx1.example.test [192.0.2.7]:25: 250 2.1.5 Ok`. */
function verdictLine(report: ProbeReport, paint: Paint): string {
  const { verdict, target, decidedBy, reason } = report
  const word = paint(answerStyles[answerOf(report)], verdict.padEnd(LONGEST_VERDICT))
  const by = decidedBy === null ? '' : ` ${peerName(decidedBy.exchanger, decidedBy)}`
  return `${word} ${escapeText(target.trim())}${by}: ${escapeText(reason)}`
}

/** `mx1.example.test [192.0.2.7]:25`, and of an address literal the address once. */
function peerName(exchanger: string, { ip, port }: { readonly ip: string; readonly port: number }): string {
  const place = `[${ip}]:${port}`
  return exchanger === `[${ip}]` ? place : `${escapeText(exchanger)} ${place}`
}

function meaningOf({ meaning, retryAfterSeconds }: ProbeReport): string {
  return retryAfterSeconds === null ? meaning : `${meaning} Try again in ${wait(retryAfterSeconds)}.`
}

function wait(seconds: number): string {
  return seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`
}

function matrixLines(report: ProbeReport, paint: Paint): string[] {
  const { exchangers, decidedBy } = report
  if (exchangers.length === 0) return []
  const rows = exchangers.flatMap((exchanger) =>
    exchanger.addresses.length === 0
      ? [[nameOf(exchanger), '-', ...probeStages.map(() => '·'), short(exchanger.error ?? 'not asked')]]
      : exchanger.addresses.map((address) =>
          row(exchanger, address, {
            isDecisive: exchanger.host === decidedBy?.exchanger && address.ip === decidedBy.ip,
          }),
        ),
  )
  return tableLines(['exchanger', 'address', ...probeStages, 'remark'], rows, paint)
}

function row(exchanger: ExchangerReport, address: AddressReport, how: { isDecisive: boolean }): Cell[] {
  const cells = probeStages.map((stage) => stageCell(address, stage))
  return [nameOf(exchanger), placeOf(address), ...cells, short(remarks(address, how).join('; '))]
}

function nameOf({ preference, host }: ExchangerReport): string {
  return `${preference} ${escapeText(host)}`
}

function placeOf({ ip, port }: AddressReport): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}

// Of a stage that was gone through twice, the second time counts.
function stageCell({ stages }: AddressReport, stage: ProbeStage): Cell {
  const found = stages.findLast((one) => one.stage === stage)
  if (found === undefined) return '·'
  return found.ok
    ? { text: `✓ ${found.durationMs} ms`, style: 'green' }
    : { text: `✗ ${found.durationMs} ms`, style: 'red' }
}

function remarks(
  { stages, tls, openedFor }: AddressReport,
  { isDecisive }: { isDecisive: boolean },
): string[] {
  // What decided is said in full below.
  const told = isDecisive ? stages.slice(0, -1) : stages
  const failed = told.filter(({ ok }) => !ok).map(failureText)
  if (openedFor !== null) failed.push(`session of ${openedFor}`)
  // A handshake that was not good enough says why itself.
  if (tls === null || stages.some(({ stage, ok }) => stage === 'starttls' && !ok)) return failed
  return [
    tls.verified ? `${tls.protocol} verified` : `${tls.protocol} not verified: ${tls.reason}`,
    ...failed,
  ]
}

function failureText({ stage, reply, error }: StageReport): string {
  if (error !== null || reply === null) return `${stage}: ${error ?? 'no reply'}`
  return `${stage}: ${reply.code} ${reply.lines.join(' ')}`
}

const short = (text: string): string => escapeText(text, { maxLength: LONGEST_REMARK })

/** What was asked beside: a made-up mailbox, VRFY. */
function besideLines({ exchangers }: ProbeReport): string[] {
  const indent = ' '.repeat(LONGEST_VERDICT + 1)
  return exchangers.flatMap(({ host, addresses }) =>
    addresses.flatMap(({ ip, catchAll, vrfy }) => {
      const who = `${indent}${escapeText(host)} [${ip}]`
      const made = catchAll === null ? [] : [`${who} on ${catchAll.address}: ${replyText(catchAll.reply)}`]
      const asked = vrfy === null ? [] : [`${who} on VRFY, which proves little: ${replyText(vrfy)}`]
      return [...made, ...asked]
    }),
  )
}

function replyText({ code, lines }: NonNullable<AddressReport['recipient']>): string {
  return escapeText(`${code} ${lines.join(' ')}`.trim())
}

function transcriptLines(
  { host }: ExchangerReport,
  { ip, port, transcript }: AddressReport,
  paint: Paint,
): string[] {
  if (transcript === null) return []
  const said = transcript.map(({ atMs, from, line }) => {
    const who = from === 'client' ? paint('cyan', 'C:') : paint('green', 'S:')
    return `${paint('dim', (atMs / 1000).toFixed(3).padStart(8))} ${who} ${escapeText(line)}`
  })
  return [paint('dim', `-- ${peerName(host, { ip, port })}`), ...said]
}

const order: readonly Verdict[] = [
  'accepts',
  'accepts-all',
  'rejects',
  'full',
  'greylisted',
  'refused-us',
  'unreachable',
  'no-mail',
  'no-domain',
  'unknown',
]

/** The last lines: how many of which, and what only the whole shows. */
export function probeSummaryLines(summary: ProbeSummary): string[] {
  const counts = order.flatMap((verdict) => {
    const count = summary.verdicts[verdict]
    return count === undefined ? [] : [`${count} ${verdict}`]
  })
  const blocked =
    'Nobody answered anywhere: the port is probably blocked from here. Ask your provider, or mxpress doctor.'
  return [counts.join(', ') || 'nothing was probed', ...(summary.seemsBlocked ? [blocked] : [])]
}
