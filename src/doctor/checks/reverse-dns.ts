/**
 * Does each address have a name that leads back to it (forward-confirmed reverse DNS), and one of its own? It is the first
 * thing that large receivers look at.
 */
import { reverseName } from '../../dns/reverse-name.ts'
import { defineCheck } from '../check.ts'
import { isGenericName } from '../generic-name.ts'
import { type Answer, evidenceOf, isUnanswered } from '../questions.ts'
import {
  cannotTell,
  type Finding,
  ok,
  problem,
  publish,
  type Remedy,
  sayAddress,
  setting,
  warning,
} from '../result.ts'
import { hostnameAt, knownToOthers, type OwnAddress, type Sender } from '../sender.ts'
import { addressLine, zoneLine } from '../zone-line.ts'

/** One address, its names, and the addresses of those. */
export interface ReverseDnsObservation {
  readonly address: OwnAddress
  readonly sender: Sender
  readonly others: readonly OwnAddress[]
  readonly names: Answer
  readonly forward: readonly { readonly name: string; readonly answer: Answer }[]
}

/** RFC 1035 allows any number of names; receivers look at the first few. */
const maxNames = 5

/** One finding an address. */
export function judgeReverseDns(observed: ReverseDnsObservation): Finding {
  const { address, sender, names, forward } = observed
  const { ip } = address
  const said = { subject: ip, evidence: [names, ...forward.map(({ answer }) => answer)].map(evidenceOf) }
  if (isUnanswered(names))
    return cannotTell({ ...said, code: 'ptr-unanswered', summary: 'The PTR record could not be looked up.' })
  if (names.records.length === 0) {
    const summary = `${ip} has no name (PTR record).`
    return problem({ ...said, code: 'ptr-missing', summary, remedies: remediesFor(observed) })
  }
  const confirmed = forward.filter(({ answer }) => answer.records.includes(ip)).map(({ name }) => name)
  const [name] = confirmed
  if (name === undefined) return unconfirmed(observed, said)
  if (confirmed.every((each) => isGenericName(each, ip))) {
    const summary = `${name} is a name as providers give it to whole ranges.`
    return warning({ ...said, code: 'ptr-generic', summary, remedies: remediesFor(observed) })
  }
  const hostname = hostnameAt(sender, ip)
  if (hostname === null || confirmed.includes(hostname))
    return ok({ ...said, code: 'ptr-confirmed', summary: `${ip} is ${hostname ?? name}, and that is ${ip}.` })
  const summary = `${ip} is ${name}, and that is ${ip}; EHLO says ${hostname}, which is another name.`
  const isOneOfMany = observed.others.length > 0 || sender.sourceHostnames.has(ip)
  const key = isOneOfMany ? `sourceHostnames = { "${ip}" = "${name}" }` : `hostname = "${name}"`
  const remedies = [setting('Best both are the same.', key)]
  return ok({ ...said, code: 'ptr-other-name', summary, remedies })
}

function unconfirmed(observed: ReverseDnsObservation, said: Partial<Finding>): Finding {
  const { address, names, forward } = observed
  const [name = ''] = names.records
  if (forward.some(({ answer }) => isUnanswered(answer))) {
    const summary = `The address of ${name} could not be looked up.`
    return cannotTell({ ...said, code: 'ptr-forward-unanswered', summary })
  }
  const summary = `${address.ip} is ${name}, but that name does not lead back to it.`
  const confirm = publish(
    'Publish the address of that name, if it is to be yours.',
    addressLine(name, address.ip),
  )
  const remedies = [confirm, ...remediesFor(observed)]
  return problem({ ...said, code: 'ptr-unconfirmed', summary, remedies })
}

function remediesFor({ address, sender, others }: ReverseDnsObservation): readonly Remedy[] {
  const { ip, family } = address
  const name = hostnameAt(sender, ip) ?? `mail.${sender.domain}`
  const record = publish(
    'Whoever gave you the address keeps its reverse zone: set this in the provider’s console, or ask for it.',
    zoneLine(reverseName(ip), 'PTR', `${name}.`),
  )
  const ipv4 = others.filter((other) => other.family === 4).map((other) => `"${other.ip}"`)
  if (family === 4 || ipv4.length === 0) return [record]
  return [record, setting('Or send over IPv4 only.', `sourceAddresses = [${ipv4.join(', ')}]`)]
}

/** For checks about addresses when none is known. */
export const unknownAddress: Finding = cannotTell({
  code: 'address-unknown',
  summary: 'The address that receivers see is not known.',
  remedies: [sayAddress],
})

export const reverseDnsCheck = defineCheck<readonly ReverseDnsObservation[]>({
  name: 'reverse-dns',
  title: 'Reverse DNS',
  async observe({ sender, questions, addresses }) {
    const own = await addresses()
    return Promise.all(
      knownToOthers(own, sender).map(async (address) => {
        const names = await questions.ptr(reverseName(address.ip))
        const forward = await Promise.all(
          names.records.slice(0, maxNames).map(async (name) => {
            return { name, answer: await questions.addresses(name, address.family) }
          }),
        )
        return { address, sender, others: own.filter((other) => other !== address), names, forward }
      }),
    )
  },
  judge: (observed) => (observed.length === 0 ? [unknownAddress] : observed.map(judgeReverseDns)),
})
