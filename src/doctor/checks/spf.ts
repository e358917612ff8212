/** Does the domain's SPF record let this host send? First whether it can be read, then what it says. */
import { defineCheck } from '../check.ts'
import { isUnanswered } from '../questions.ts'
import {
  cannotTell,
  type Finding,
  ok,
  problem,
  publish,
  type Remedy,
  sayAddress,
  warning,
} from '../result.ts'
import type { SpfObservation } from '../spf-evaluation.ts'
import { endOf, mendedSpf, usesPtr } from '../spf-record.ts'
import { txtLine } from '../zone-line.ts'

/** RFC 7208 §4.6.4. */
const MAX_LOOKUPS = 10

/** One finding; the worst fault decides. */
export function judgeSpf(observed: SpfObservation): readonly Finding[] {
  const { evidence } = observed
  const { status, code, summary, remedies } =
    unreadable(observed) ?? lacking(observed) ?? doubtful(observed) ?? fine(observed)
  return [{ subject: null, status, code, summary, remedies, evidence }]
}

/** No record, several, or one that nobody can evaluate. */
function unreadable({
  domain,
  addresses,
  answer,
  records,
  evaluations,
  lookups,
}: SpfObservation): Finding | null {
  if (isUnanswered(answer))
    return cannotTell({ code: 'spf-unanswered', summary: `The records of ${domain} could not be looked up.` })
  if (lookups === null || records.length !== 1) {
    return noSingleRecord(domain, records, replacement(domain, records, addresses))
  }
  if (lookups.count > MAX_LOOKUPS) {
    const summary = `The record costs ${lookups.count} DNS lookups; after ${MAX_LOOKUPS} receivers give up (RFC 7208 §4.6.4).`
    const remedies = [
      publish(
        'Name addresses instead of hosts, and leave out what sends no mail of yours.',
        txtLine(domain, mendedSpf([], addresses)),
      ),
    ]
    return problem({ code: 'spf-too-many-lookups', summary, remedies })
  }
  const verdicts = [lookups, ...evaluations]
  const broken = verdicts.find(({ verdict }) => verdict === 'permerror')
  if (broken !== undefined) {
    const summary = `The record cannot be evaluated: ${reasonIn(broken.comment)}.`
    return problem({ code: 'spf-invalid', summary, remedies: [replacement(domain, [], addresses)] })
  }
  const unanswered = verdicts.find(({ verdict }) => verdict === 'temperror')
  if (unanswered === undefined) return null
  const summary = `What the record refers to could not be looked up: ${reasonIn(unanswered.comment)}.`
  return cannotTell({ code: 'spf-unanswered', summary })
}

function noSingleRecord(domain: string, records: readonly string[], remedy: Remedy): Finding {
  const remedies = [remedy]
  if (records.length === 0)
    return problem({ code: 'spf-missing', summary: `${domain} has no SPF record.`, remedies })
  const summary = `${domain} has ${records.length} SPF records, so none of them counts (RFC 7208 §4.5).`
  return problem({ code: 'spf-several', summary, remedies })
}

/** The record leaves one of our addresses out. */
function lacking({ domain, records, evaluations }: SpfObservation): Finding | null {
  const left = evaluations.filter(({ verdict }) => verdict !== 'pass')
  if (left.length === 0) return null
  const said = left.map(({ ip, verdict }) => `${ip} (${verdict})`).join(', ')
  const summary = `The record does not let ${said} send for ${domain}.`
  const addresses = left.map(({ ip }) => ip)
  return problem({ code: 'spf-lacks-address', summary, remedies: [replacement(domain, records, addresses)] })
}

/** It lets us send, and more than it should. */
function doubtful({ domain, records: [record = ''], evaluations }: SpfObservation): Finding | null {
  const end = endOf(record)
  const remedies = [
    replacement(
      domain,
      [record],
      evaluations.map(({ ip }) => ip),
    ),
  ]
  if (end === 'pass') {
    const summary = 'The record lets everybody send (+all), so receivers think nothing of it.'
    return warning({ code: 'spf-allows-everybody', summary, remedies })
  }
  if (end === 'neutral' || end === null) {
    const summary = 'The record says nothing about strangers: it should end in -all or ~all.'
    return warning({ code: 'spf-open-end', summary, remedies })
  }
  if (!usesPtr(record)) return null
  const summary = 'The record uses ptr, which is slow, and which many receivers skip (RFC 7208 §5.5).'
  return warning({ code: 'spf-uses-ptr', summary, remedies })
}

function fine({ domain, evaluations, lookups }: SpfObservation): Finding {
  const cost = `${lookups?.count ?? 0} of ${MAX_LOOKUPS} lookups`
  if (evaluations.length === 0) {
    const summary = `The record is valid (${cost}); whether it includes the address that receivers see is not known.`
    return cannotTell({ code: 'spf-address-unknown', summary, remedies: [sayAddress] })
  }
  const who = evaluations.map(({ ip }) => ip).join(' and ')
  return ok({ code: 'spf-includes-us', summary: `${who} may send for ${domain}; ${cost}.` })
}

/** mailauth's comment without its head, which names us and the sender. */
function reasonIn(comment: string): string {
  return comment.split(': ').slice(2).join(': ') || comment
}

function replacement(domain: string, records: readonly string[], addresses: readonly string[]): Remedy {
  const text =
    records.length === 0
      ? 'Publish one record; add whoever else sends for the domain before the end.'
      : 'Publish this record instead.'
  return publish(text, txtLine(domain, mendedSpf(records, addresses)))
}

export const spfCheck = defineCheck<SpfObservation>({
  name: 'spf',
  title: 'SPF',
  async observe(around) {
    return around.spf()
  },
  judge: judgeSpf,
})
