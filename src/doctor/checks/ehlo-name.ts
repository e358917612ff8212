/** Does the name that we give in EHLO lead to us? RFC 5321 §4.1.4 wants it to; many receivers insist. */
import { isAddressLiteral } from '../../config/host.ts'
import { defineCheck } from '../check.ts'
import { type Answer, evidenceOf, isUnanswered } from '../questions.ts'
import { cannotTell, type Finding, ok, problem, publish, sayAddress, setting, warning } from '../result.ts'
import { type GivenName, namesGiven, type OwnAddress, type Sender } from '../sender.ts'
import { addressLine } from '../zone-line.ts'

/** One name, its addresses and ours. */
export interface EhloNameObservation extends GivenName {
  readonly sender: Sender
  /** A and AAAA of the name; empty when there is no name to ask for. */
  readonly answers: readonly Answer[]
}

/** First whether there is a name, then whether it exists, then whether it is ours. */
export function judgeEhloName({ sender, hostname, addresses, answers }: EhloNameObservation): Finding {
  const { domain, hostnameComplaint } = sender
  const evidence = answers.map(evidenceOf)
  const records = (name: string) =>
    addresses.map(({ ip }) => publish('Publish the address of the name.', addressLine(name, ip)))
  if (hostname === null) {
    const name = `mail.${domain}`
    const remedies = [setting('Give this host a name.', `hostname = "${name}"`), ...records(name)]
    const summary = hostnameComplaint ?? 'This host has no name.'
    return problem({ code: 'ehlo-name-missing', summary, remedies })
  }
  if (isAddressLiteral(hostname)) {
    const remedies = [setting('Give this host a name.', `hostname = "mail.${domain}"`)]
    const summary = `${hostname} is an address, not a name: allowed, and refused by many.`
    return warning({ code: 'ehlo-name-literal', summary, remedies })
  }
  const known = answers.flatMap((answer) => answer.records)
  if (known.length === 0 && !answers.some(isUnanswered)) {
    const summary = `${hostname} has no address.`
    return problem({ code: 'ehlo-name-unknown', summary, evidence, remedies: records(hostname) })
  }
  const unanswered = answers.filter(isUnanswered).map(({ question }) => question)
  const inQuestion = addresses.filter(
    ({ ip, family }) =>
      !known.includes(ip) && unanswered.includes(`${family === 6 ? 'AAAA' : 'A'} ${hostname}`),
  )
  if (known.length === 0 || inQuestion.length > 0) {
    const summary = `The addresses of ${hostname} could not be looked up.`
    return cannotTell({ code: 'ehlo-name-unanswered', summary, evidence })
  }
  return compare(hostname, addresses, { known, evidence })
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
    const summary = `${hostname} leads to ${known.join(', ')}; whether receivers see us there is not known.`
    return cannotTell({ code: 'ehlo-name-unconfirmed', summary, evidence, remedies: [sayAddress] })
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

export const ehloNameCheck = defineCheck<readonly EhloNameObservation[]>({
  name: 'ehlo-name',
  title: 'EHLO name',
  async observe({ sender, questions, addresses }) {
    const names = namesGiven(sender, await addresses())
    return Promise.all(
      names.map(async ({ hostname, addresses: own }) => {
        const isName = hostname !== null && !isAddressLiteral(hostname)
        const answers = isName ? await Promise.all([questions.a(hostname), questions.aaaa(hostname)]) : []
        return { sender, hostname, addresses: own, answers }
      }),
    )
  },
  judge: (observed) =>
    observed.map((one) => ({
      ...judgeEhloName(one),
      subject: observed.length > 1 ? one.hostname : null,
    })),
})
