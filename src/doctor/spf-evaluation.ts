/** What receivers make of SPF for one identity: mailauth evaluates, as strictly as RFC 7208 has it. */
import type { SPFResult } from 'mailauth'
import { type Answer, evidenceOf, type Questions } from './questions.ts'
import type { Evidence } from './result.ts'
import { isSpfRecord } from './spf-record.ts'

/** RFC 8601 §2.7.2. */
export type SpfVerdict = 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'temperror' | 'permerror'

/** One address, judged by the record. */
export interface SpfEvaluation {
  readonly ip: string
  readonly verdict: SpfVerdict
  /** In the evaluator's words. */
  readonly comment: string
}

/** The identity's record and what it says of our addresses. */
export interface SpfObservation {
  readonly domain: string
  /** Ours, as far as they are known. */
  readonly addresses: readonly string[]
  readonly answer: Answer
  /** Those of the TXT records that are SPF. */
  readonly records: readonly string[]
  readonly evaluations: readonly SpfEvaluation[]
  /** What a stranger's evaluation costs: every mechanism is looked at. `null` without exactly one record. */
  readonly lookups: { readonly count: number; readonly verdict: SpfVerdict; readonly comment: string } | null
  readonly evidence: readonly Evidence[]
}

/** Nobody's address (RFC 5737), so no mechanism matches before the end. */
const stranger = '192.0.2.1'

/** Far over the limit of ten, so that the real number can be told. */
const countUpTo = 100

/** RFC 7208 §4.6.4 wants receivers to give an evaluation at least so long. */
const maxElapsedTime = 20_000

/** Whose mail it would be. */
export interface SpfIdentity {
  readonly domain: string
  /** The EHLO name; `null`: the domain's. */
  readonly hostname: string | null
  readonly addresses: readonly string[]
}

/** Reads the record and evaluates it for each address, and for nobody's. */
export async function observeSpf(questions: Questions, identity: SpfIdentity): Promise<SpfObservation> {
  const { domain, hostname, addresses } = identity
  const answer = await questions.txt(domain)
  const records = answer.records.filter(isSpfRecord)
  const interview = questions.interview()
  // Only here, so that programs that merely send do not load it.
  const { spf } = await import('mailauth/lib/spf/index.js')
  const evaluate = async (ip: string, limits: { maxResolveCount?: number; maxVoidCount?: number } = {}) => {
    const helo = hostname ?? domain
    const sender = `postmaster@${domain}`
    return spf({
      sender,
      ip,
      helo,
      mta: helo,
      resolver: interview.lookUp,
      strict: true,
      maxElapsedTime,
      ...limits,
    })
  }
  const isOne = records.length === 1
  const counted = isOne
    ? await evaluate(stranger, { maxResolveCount: countUpTo, maxVoidCount: countUpTo })
    : null
  const evaluations = isOne
    ? await Promise.all(addresses.map(async (ip) => ({ ip, ...plain(await evaluate(ip)) })))
    : []
  const further = (await interview.evidence()).filter(({ asked }) => asked !== answer.question)
  return {
    domain,
    addresses,
    answer,
    records,
    evaluations,
    lookups: counted === null ? null : { count: counted.lookups?.count ?? 0, ...plain(counted) },
    evidence: [evidenceOf(answer), ...further],
  }
}

function plain({ status }: SPFResult): { readonly verdict: SpfVerdict; readonly comment: string } {
  return { verdict: status.result as SpfVerdict, comment: status.comment ?? '' }
}
