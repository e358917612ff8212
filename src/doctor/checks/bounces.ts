/**
 * Can the domain receive bounces? Many receivers look, and refuse mail from a domain that they could not answer
 * (RFC 5321 §3.6.3, RFC 7505 §4.2).
 */
import { DnsError } from '../../dns/resolver.ts'
import type { Exchanger } from '../../route/exchangers.ts'
import { parseIp, specialRangeOf } from '../../route/ip.ts'
import { exchangersOf, type MxAnswer } from '../../route/resolve-exchangers.ts'
import { RouteError } from '../../route/route.ts'
import { defineCheck } from '../check.ts'
import { type Answer, evidenceOf, isUnanswered } from '../questions.ts'
import { cannotTell, type Finding, ok, problem, publish, type Remedy, warning } from '../result.ts'
import type { Sender } from '../sender.ts'
import { zoneLine } from '../zone-line.ts'

/** One exchanger of the domain. */
export interface ExchangerObservation {
  readonly host: string
  readonly a: Answer
  readonly aaaa: Answer
  /** RFC 2181 §10.3 forbids an alias here. */
  readonly alias: Answer
}

/** The domain's exchangers, or why there are none. */
export interface BouncesObservation {
  readonly sender: Sender
  readonly mx: Answer<unknown>
  readonly failure: RouteError | null
  readonly exchangers: readonly ExchangerObservation[]
}

/** Enough to know that one of them can be reached. */
const maxExchangers = 5

/** One finding. */
export function judgeBounces(observed: BouncesObservation): readonly Finding[] {
  const { sender, mx, failure, exchangers } = observed
  const asked = exchangers.flatMap(({ a, aaaa, alias }) => [a, aaaa, alias])
  const evidence = [mx, ...asked].map(evidenceOf)
  if (failure !== null) return [{ ...judgeFailure(failure, sender), evidence }]
  return [{ ...judgeExchangers(exchangers, sender), evidence }]
}

function judgeFailure({ kind, message }: RouteError, { domain }: Sender): Finding {
  const remedies = [receiver(domain)]
  if (kind === 'dns') return cannotTell({ code: 'bounces-unanswered', summary: `${message}.` })
  if (kind === 'null-mx') {
    const summary = `${domain} takes no mail (null MX), so bounces are lost and receivers distrust it.`
    return problem({ code: 'bounces-null-mx', summary, remedies })
  }
  return problem({ code: 'bounces-no-domain', summary: `${message}.`, remedies })
}

function judgeExchangers(exchangers: readonly ExchangerObservation[], sender: Sender): Finding {
  const { domain } = sender
  const names = exchangers.map(({ host }) => host).join(', ')
  const addressed = exchangers.filter(({ a, aaaa }) => isReachable([...a.records, ...aaaa.records], sender))
  if (addressed.length === 0) {
    if (exchangers.some(({ a, aaaa }) => isUnanswered(a) || isUnanswered(aaaa)))
      return cannotTell({
        code: 'bounces-unanswered',
        summary: `The addresses of ${names} could not be looked up.`,
      })
    const summary = `${names}: no address that mail for ${domain} could be sent to.`
    return problem({ code: 'bounces-no-address', summary, remedies: [receiver(domain)] })
  }
  const lacking = exchangers.filter((exchanger) => !addressed.includes(exchanger))
  const alias = exchangers.find((exchanger) => exchanger.alias.records.length > 0)
  if (alias !== undefined) {
    const summary = `${alias.host} is an alias (CNAME), which an exchanger must not be (RFC 2181 §10.3); some senders refuse it.`
    const remedies = alias.alias.records.map((name) =>
      publish('Name the host itself.', zoneLine(domain, 'MX', `10 ${name}.`)),
    )
    return warning({ code: 'bounces-alias', summary, remedies })
  }
  if (lacking.length > 0) {
    const summary = `${lacking.map(({ host }) => host).join(', ')} among the exchangers of ${domain} cannot be reached.`
    return warning({ code: 'bounces-partly-unreachable', summary })
  }
  return ok({ code: 'bounces-arrive', summary: `Mail for ${domain} goes to ${names}.` })
}

function isReachable(addresses: readonly string[], { allowLocalAddresses }: Sender): boolean {
  return addresses.some((text) => {
    const address = parseIp(text)
    return address !== null && (allowLocalAddresses || specialRangeOf(address) === null)
  })
}

function receiver(domain: string): Remedy {
  return publish(
    'Name a host that receives mail for the domain, postmaster’s at least (mxpress receives none).',
    zoneLine(domain, 'MX', `10 mx.${domain}.`),
  )
}

export const bouncesCheck = defineCheck<BouncesObservation>({
  name: 'bounces',
  title: 'Bounces',
  async observe({ sender, questions, settings }) {
    const mx = await questions.mx(sender.domain)
    const found = readExchangers(sender.domain, mx.failure ?? mx.records, settings.smtp.port)
    if (found instanceof RouteError) return { sender, mx, failure: found, exchangers: [] }
    const exchangers = found.slice(0, maxExchangers).map(async ({ host, implicit }) => {
      const [a, aaaa] = await Promise.all([questions.a(host), questions.aaaa(host)])
      // RFC 5321 §5.1: a domain that stands for itself may well be an alias.
      const nothing: Answer = { question: `CNAME ${host}`, records: [], failure: null }
      return { host, a, aaaa, alias: implicit ? nothing : await questions.cname(host) }
    })
    return { sender, mx, failure: null, exchangers: await Promise.all(exchangers) }
  },
  judge: judgeBounces,
})

function readExchangers(domain: string, answer: MxAnswer, port: number): readonly Exchanger[] | RouteError {
  try {
    return exchangersOf(domain, answer instanceof DnsError ? answer : [...answer], port)
  } catch (error) {
    if (error instanceof RouteError) return error
    throw error
  }
}
