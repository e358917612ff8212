/**
 * SPF of the EHLO name itself. Receivers check it where the reverse-path is null (RFC 7208 §2.4), so it decides what
 * becomes of our bounces. One rule: no record is no fault.
 */
import { defineCheck } from '../check.ts'
import { isUnanswered } from '../questions.ts'
import { advice, cannotTell, type Finding, ok, publish, type Remedy, warning } from '../result.ts'
import type { SpfObservation } from '../spf-evaluation.ts'
import { heloSpfRecord } from '../spf-record.ts'
import { txtLine } from '../zone-line.ts'

/** One finding a name. */
export function judgeHeloSpf(observed: SpfObservation): Finding {
  const { domain, answer, records, evaluations, evidence } = observed
  const remedies = [remedyFor(domain, records)]
  if (isUnanswered(answer)) {
    const summary = `The records of ${domain} could not be looked up.`
    return cannotTell({ code: 'helo-spf-unanswered', summary, evidence })
  }
  if (records.length === 0) {
    const summary = `${domain} has no SPF record of its own, which bounces would profit from.`
    return ok({ code: 'helo-spf-none', summary, evidence, remedies })
  }
  const refused = evaluations.filter(({ verdict }) => verdict !== 'pass')
  if (records.length === 1 && refused.length === 0)
    return ok({ code: 'helo-spf-passes', summary: `${domain} may send for itself.`, evidence })
  if (refused.length > 0 && refused.every(({ verdict }) => verdict === 'temperror')) {
    const summary = 'What the record refers to could not be looked up.'
    return cannotTell({ code: 'helo-spf-unanswered', summary, evidence })
  }
  const said = refused.map(({ ip, verdict }) => `${ip} (${verdict})`).join(', ')
  const summary =
    records.length > 1
      ? `${domain} has ${records.length} SPF records, so none of them counts.`
      : `The record of ${domain} does not let ${said} send: bounces will be refused.`
  return warning({ code: 'helo-spf-fails', summary, evidence, remedies })
}

function remedyFor(domain: string, records: readonly string[]): Remedy {
  if (records.length === 1 && records[0] === heloSpfRecord)
    return advice('The record is as it should be; mend the address of the EHLO name.')
  return publish('Let the host send for its own name.', txtLine(domain, heloSpfRecord))
}

export const heloSpfCheck = defineCheck<readonly SpfObservation[]>({
  name: 'helo-spf',
  title: 'SPF of the EHLO name',
  observe: (around) => around.heloSpf(),
  judge: (observed) =>
    observed.map((one) => ({ ...judgeHeloSpf(one), subject: observed.length > 1 ? one.domain : null })),
})
