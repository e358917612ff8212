/**
 * Is there a DMARC record, can it be read, and would our mail align with the From domain (RFC 9989)? mailauth evaluates a
 * message as we would send it: SPF and DKIM as far as their own checks found them to pass.
 */
import type { DMARCResult } from 'mailauth'
import { defineCheck } from '../check.ts'
import { isDmarcRecord, isDmarcVersion } from '../dmarc-record.ts'
import { type Answer, evidenceOf, isUnanswered } from '../questions.ts'
import {
  cannotTell,
  type Evidence,
  type Finding,
  ok,
  problem,
  publish,
  type Remedy,
  warning,
} from '../result.ts'
import { txtLine } from '../zone-line.ts'

/** The record, and what it would say to a message of ours. */
export interface DmarcObservation {
  readonly domain: string
  /** TXT of `_dmarc` below the domain itself. */
  readonly own: Answer
  /** Whether SPF passes from every address; `null`: not known. */
  readonly spfPasses: boolean | null
  /** Whether there is a signature that verifies; `null`: not known. */
  readonly dkimPasses: boolean | null
  readonly verdict: string
  /** The record that applies; it may be a parent's. */
  readonly record: string | null
  readonly policy: string | null
  readonly evidence: readonly Evidence[]
}

/** One finding: can it be read, then does it hold. */
export function judgeDmarc(observed: DmarcObservation): readonly Finding[] {
  return [{ ...(unreadable(observed) ?? judgeAlignment(observed)), evidence: observed.evidence }]
}

function unreadable({ domain, own, verdict, record }: DmarcObservation): Finding | null {
  const name = `_dmarc.${domain}`
  if (isUnanswered(own) || (verdict === 'temperror' && record === null))
    return cannotTell({ code: 'dmarc-unanswered', summary: `The record ${name} could not be looked up.` })
  const records = own.records.filter(isDmarcVersion)
  const remedies = [recommended(domain)]
  if (records.length > 1) {
    const summary = `${domain} has ${records.length} DMARC records, so none of them counts.`
    return problem({ code: 'dmarc-several', summary, remedies })
  }
  const isTried = records.length > 0 || own.records.some((text) => /dmarc/i.test(text))
  if (record === null || verdict === 'none') {
    if (isTried) {
      const summary = `The record ${name} cannot be read: it must begin with v=DMARC1; and have p=none, quarantine or reject.`
      return problem({ code: 'dmarc-invalid', summary, remedies })
    }
    const summary = `${domain} has no DMARC record; large receivers ask bulk senders for one.`
    return warning({ code: 'dmarc-missing', summary, remedies })
  }
  if (isDmarcRecord(record)) return null
  const summary = 'The record has no valid policy (p=none, quarantine or reject), so it counts as none.'
  return problem({ code: 'dmarc-invalid', summary, remedies })
}

function judgeAlignment(observed: DmarcObservation): Finding {
  const { domain, verdict, policy, spfPasses, dkimPasses } = observed
  const says = `p=${policy}`
  if (verdict === 'pass') {
    const by = [spfPasses === true ? 'SPF' : '', dkimPasses === true ? 'DKIM' : ''].filter(Boolean)
    const summary = `${says}; our mail aligns by ${by.join(' and ')}.`
    return ok({ code: 'dmarc-aligned', summary })
  }
  if (spfPasses === null || dkimPasses === null)
    return cannotTell({
      code: 'dmarc-alignment-unknown',
      summary: `${says}; whether our mail aligns is not known.`,
    })
  const summary = `${says}, and our mail would not align: neither SPF nor DKIM passes for ${domain}.`
  const said = { code: 'dmarc-not-aligned', summary }
  return policy === 'none' ? warning(said) : problem(said)
}

/** A record to begin with: it only asks for reports. */
export function recommended(domain: string): Remedy {
  const value = `v=DMARC1; p=none; rua=mailto:postmaster@${domain}`
  const text = 'Publish a record that asks for reports; once they are clean, raise p to quarantine or reject.'
  return publish(text, txtLine(`_dmarc.${domain}`, value))
}

export const dmarcCheck = defineCheck<DmarcObservation>({
  name: 'dmarc',
  title: 'DMARC',
  async observe(around) {
    const { questions, sender } = around
    const { domain } = sender
    const own = await questions.txt(`_dmarc.${domain}`)
    const { signingDomain } = await around.dkim()
    const [spfPasses, dkimPasses] = await Promise.all([passesSpf(around), passesDkim(around)])
    const interview = questions.interview()
    // Only here, so that programs that merely send do not load it.
    const { dmarc } = await import('mailauth/lib/dmarc/index.js')
    const result = await dmarc({
      headerFrom: [`postmaster@${domain}`],
      spfDomains: spfPasses ? [domain] : [],
      dkimDomains: dkimPasses ? [{ domain: signingDomain }] : [],
      resolver: interview.lookUp,
      strict: true,
    })
    const further = (await interview.evidence()).filter(({ asked }) => asked !== own.question)
    return {
      domain,
      own,
      spfPasses,
      dkimPasses,
      ...plain(result),
      evidence: [evidenceOf(own), ...further],
    }
  },
  judge: judgeDmarc,
})

type Around = Parameters<Parameters<typeof defineCheck>[0]['observe']>[0]

/** `null` while an address or a lookup is missing. */
async function passesSpf(around: Around): Promise<boolean | null> {
  const { records, evaluations, answer } = await around.spf()
  if (isUnanswered(answer) || (records.length === 1 && evaluations.length === 0)) return null
  if (evaluations.some(({ verdict }) => verdict === 'temperror')) return null
  return evaluations.length > 0 && evaluations.every(({ verdict }) => verdict === 'pass')
}

async function passesDkim(around: Around): Promise<boolean | null> {
  const { keys } = await around.dkim()
  if (keys.some(({ kind }) => kind === 'matches')) return true
  return keys.some(({ kind }) => kind === 'unanswered') ? null : false
}

function plain(result: DMARCResult | false) {
  if (result === false) return { verdict: 'none', record: null, policy: null }
  return { verdict: result.status.result, record: result.rr ?? null, policy: result.policy ?? null }
}
