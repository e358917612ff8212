/**
 * From what every address did to the verdict on the target: what would become of a message. So the exchangers count in the
 * order of their preference, and the first that has the last word decides; where none has, the one that says most.
 */
import { classifyRoute } from '../delivery/classify.ts'
import type { Cause } from '../delivery/outcome.ts'
import { readAskedMs } from '../queue/retry.ts'
import type { RouteError } from '../route/route.ts'
import { ConnectError } from '../smtp/errors.ts'
import { formatReply } from '../smtp/reply.ts'
import { type AddressEnd, reasonOf } from './inquiry.ts'
import type { Reachability } from './reachability.ts'
import type { ProbeReport, ProbeStage } from './report.ts'
import { isLastWord, type Ruling, rule, telling, type Verdict } from './verdict.ts'

/** What one exchanger came to: its addresses, or why it has none. */
export interface ExchangerEnd {
  readonly host: string
  readonly preference: number
  readonly implicit: boolean
  readonly port: number
  readonly error: RouteError | null
  readonly addresses: readonly (AddressEnd & { readonly ip: string })[]
}

/** The part of the report that is concluded. */
export type Conclusion = Pick<
  ProbeReport,
  'verdict' | 'status' | 'reason' | 'meaning' | 'retryAfterSeconds' | 'stoppedAfter' | 'decidedBy'
>

/** A reason for a verdict, and where it was found. */
interface Ground {
  readonly cause: Cause
  readonly ruling: Ruling
  readonly exchanger: ExchangerEnd
  /** `null`: the exchanger has no address. */
  readonly end: (AddressEnd & { readonly ip: string }) | null
}

/** There is no way to the domain. */
export function concludeRoute(error: Error, cause: Cause): Conclusion {
  const { verdict, means } = rule(cause)
  return { verdict, status: cause.status, reason: error.message, meaning: means, ...nothingElse }
}

/** What a conclusion depends on beside. */
export interface ConcludeOptions {
  readonly stopAfter: ProbeStage
  /** Only the domain was named, so its postmaster was asked for. */
  readonly isDomain: boolean
  readonly reachability: Reachability
}

/** Every exchanger was asked, or as many as were to be. */
export function conclude(exchangers: readonly ExchangerEnd[], around: ConcludeOptions): Conclusion {
  const counted = untilOurselves(exchangers)
  for (const exchanger of counted) {
    const end = exchanger.addresses.find(({ cause }) => cause === null)
    if (end !== undefined) return stopped(end.record, around.stopAfter, decidedBy(exchanger, end))
  }
  const grounds = counted.flatMap(groundsOf)
  const ground = grounds.find(({ cause }) => isLastWord(cause)) ?? mostTelling(grounds)
  // A route has at least one exchanger, and each has an address or an error.
  if (ground === undefined) throw new Error('expected an exchanger, found none')
  return tell(ground, grounds, around)
}

function decidedBy(
  { host, port }: ExchangerEnd,
  end: { readonly ip: string } | null,
): ProbeReport['decidedBy'] {
  return end === null ? null : { exchanger: host, ip: end.ip, port }
}

/** RFC 5321 §5.1: from the exchanger that is this host on, none would be asked. */
function untilOurselves(exchangers: readonly ExchangerEnd[]): readonly ExchangerEnd[] {
  const ours = exchangers.find(({ error }) => error?.kind === 'loop')
  if (ours === undefined) return exchangers
  return [...exchangers.filter(({ preference }) => preference < ours.preference), ours]
}

function groundsOf(exchanger: ExchangerEnd): readonly Ground[] {
  const { error, implicit: isImplicit, addresses } = exchanger
  if (error !== null) {
    const cause = classifyRoute(error)
    return [{ cause, ruling: rule(cause, { isImplicit }), exchanger, end: null }]
  }
  return addresses.flatMap((end) =>
    end.cause === null ? [] : [{ cause: end.cause, ruling: rule(end.cause), exchanger, end }],
  )
}

function mostTelling(grounds: readonly Ground[]): Ground | undefined {
  for (const verdict of telling) {
    const found = grounds.find(({ ruling }) => ruling.verdict === verdict)
    if (found !== undefined) return found
  }
  return grounds[0]
}

function tell(ground: Ground, grounds: readonly Ground[], around: ConcludeOptions): Conclusion {
  const { cause, ruling, exchanger, end } = ground
  const reason = reasonOf(cause)
  const told = {
    verdict: ruling.verdict,
    status: cause.status,
    reason,
    meaning: (around.isDomain ? ofPostmaster[ruling.verdict] : undefined) ?? ruling.means,
    ...nothingElse,
    decidedBy: decidedBy(exchanger, end),
  }
  if (ruling.verdict === 'accepts' && isCatchAll(end)) return { ...told, ...catchAll }
  if (ruling.verdict === 'greylisted') return { ...told, retryAfterSeconds: waitSeconds(reason) }
  if (!(cause.error instanceof ConnectError)) return told
  const errors = grounds.flatMap(({ cause: { error } }) => (error instanceof ConnectError ? [error] : []))
  return { ...told, meaning: around.reachability.meaning(errors, exchanger.port) }
}

/** RFC 5321 §4.5.1: every domain that takes mail knows its postmaster. */
const ofPostmaster: Partial<Record<Verdict, string>> = {
  accepts: 'The server would take mail for the postmaster of the domain.',
  rejects: 'The server knows no postmaster, whom every domain with mail has to know (RFC 5321 §4.5.1).',
}

const nothingElse = { retryAfterSeconds: null, stoppedAfter: null, decidedBy: null } as const

const catchAll: { readonly verdict: Verdict; readonly meaning: string } = {
  verdict: 'accepts-all',
  meaning:
    'The server would take mail for any mailbox, also for one made up, so it says nothing about this one.',
}

function isCatchAll(end: AddressEnd | null): boolean {
  const reply = end?.record.catchAll?.reply
  return reply !== undefined && reply.code < 300
}

/** Greylists that do not say when mean minutes: Postgrey 5, others 1 to 5. */
const USUAL_WAIT_MS = 5 * 60_000
/** Nobody greylists for longer; who says so means something else. */
const LONGEST_WAIT_MS = 24 * 3_600_000

function waitSeconds(diagnostic: string): number {
  const askedMs = readAskedMs({ isReply: true, diagnostic }) ?? USUAL_WAIT_MS
  return Math.max(1, Math.ceil(Math.min(askedMs, LONGEST_WAIT_MS) / 1_000))
}

function stopped(
  { lastReply, tls, stages }: AddressEnd['record'],
  stopAfter: ProbeStage,
  by: ProbeReport['decidedBy'],
): Conclusion {
  const isOpen = stages.some(({ stage }) => stage === 'ehlo')
  const how =
    isOpen && stopAfter !== 'ehlo' ? ` (${tls === null ? 'in clear' : `under ${tls.protocol}`})` : ''
  return {
    verdict: 'unknown',
    status: '2.0.0',
    reason: lastReply === null ? 'connected' : formatReply(lastReply),
    meaning: `All went well up to ${stopAfter}${how}, where the probe was told to end; the mailbox was not asked about.`,
    retryAfterSeconds: null,
    stoppedAfter: stopAfter,
    decidedBy: by,
  }
}
