/** Does the name that we give in EHLO lead to us? RFC 5321 §4.1.4 wants it to; many receivers insist. */
import { isAddressLiteral } from '../../config/host.ts'
import { defineCheck } from '../check.ts'
import { type Answer, evidenceOf, isUnanswered } from '../questions.ts'
import { cannotTell, type Finding, ok, problem, publish, setting, warning } from '../result.ts'
import { hostnameAt, knownToOthers, type OwnAddress, type Sender } from '../sender.ts'
import { addressLine } from '../zone-line.ts'

/** The name, its addresses and ours. */
export interface EhloNameObservation {
  readonly sender: Sender
  readonly addresses: readonly OwnAddress[]
  /** A and AAAA of the name; empty when there is no name to ask for. */
  readonly answers: readonly Answer[]
}

/** First whether there is a name, then whether it exists, then whether it is ours. */
export function judgeEhloName({ sender, addresses, answers }: EhloNameObservation): readonly Finding[] {
  const { hostname, domain, hostnameComplaint } = sender
  const evidence = answers.map(evidenceOf)
  const own = knownToOthers(addresses, sender)
  const records = (name: string) =>
    own.map(({ ip }) => publish('Publish the address of the name.', addressLine(name, ip)))
  if (hostname === null) {
    const name = `mail.${domain}`
    const remedies = [setting('Give this host a name.', `hostname = "${name}"`), ...records(name)]
    const summary = hostnameComplaint ?? 'This host has no name.'
    return [problem({ code: 'ehlo-name-missing', summary, remedies })]
  }
  if (isAddressLiteral(hostname)) {
    const remedies = [setting('Give this host a name.', `hostname = "mail.${domain}"`)]
    const summary = `${hostname} is an address, not a name: allowed, and refused by many.`
    return [warning({ code: 'ehlo-name-literal', summary, remedies })]
  }
  const known = answers.flatMap((answer) => answer.records)
  if (known.length === 0) {
    if (answers.some(isUnanswered)) {
      const summary = `The addresses of ${hostname} could not be looked up.`
      return [cannotTell({ code: 'ehlo-name-unanswered', summary, evidence })]
    }
    const summary = `${hostname} has no address.`
    return [problem({ code: 'ehlo-name-unknown', summary, evidence, remedies: records(hostname) })]
  }
  return [compare(hostname, own, { known, evidence })]
}

interface Seen {
  readonly known: readonly string[]
  readonly evidence: Finding['evidence']
}

function compare(hostname: string, own: readonly OwnAddress[], { known, evidence }: Seen): Finding {
  const missing = own.filter(({ ip }) => !known.includes(ip))
  const remedies = missing.map(({ ip }) =>
    publish('Publish the address of the name.', addressLine(hostname, ip)),
  )
  if (own.length === 0) {
    const summary = `${hostname} leads to ${known.join(', ')}; whether that is us is not known.`
    return cannotTell({ code: 'ehlo-name-unconfirmed', summary, evidence })
  }
  if (missing.length === 0)
    return ok({ code: 'ehlo-name-ours', summary: `${hostname} leads to ${list(own)}.`, evidence })
  const isElsewhere = ({ family }: OwnAddress) => known.some((ip) => ip.includes(':') === (family === 6))
  if (missing.length === own.length || missing.some(isElsewhere)) {
    const summary = `${hostname} leads to ${known.join(', ')}, but mail leaves from ${list(missing)}.`
    return problem({ code: 'ehlo-name-elsewhere', summary, evidence, remedies })
  }
  const summary = `${hostname} does not lead to ${list(missing)}, from which mail leaves too.`
  return warning({ code: 'ehlo-name-lacks-family', summary, evidence, remedies })
}

const list = (addresses: readonly OwnAddress[]) => addresses.map(({ ip }) => ip).join(', ')

export const ehloNameCheck = defineCheck<EhloNameObservation>({
  name: 'ehlo-name',
  title: 'EHLO name',
  async observe({ sender, questions, addresses }) {
    const { hostname } = sender
    const isName = hostname !== null && !isAddressLiteral(hostname)
    const answers = isName ? await Promise.all([questions.a(hostname), questions.aaaa(hostname)]) : []
    // Sessions from the others give a name of their own; reverse-dns holds that against the address.
    const ours = (await addresses()).filter(({ ip }) => hostnameAt(sender, ip) === hostname)
    return { sender, addresses: ours, answers }
  },
  judge: judgeEhloName,
})
