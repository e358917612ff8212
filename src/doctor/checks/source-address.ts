/** Are the addresses that mail leaves from public ones? By family, as each has its own way out. */
import { specialRangeOf } from '../../route/ip.ts'
import { defineCheck } from '../check.ts'
import {
  advice,
  cannotTell,
  type Evidence,
  type Finding,
  ok,
  problem,
  runCommand,
  warning,
} from '../result.ts'
import { knownToOthers, type OwnAddress, type Sender } from '../sender.ts'

/** Who sends, and from where. */
export interface SourceAddressObservation {
  readonly sender: Sender
  readonly addresses: readonly OwnAddress[]
}

/** A finding for each address, and one for a family without. */
export function judgeSourceAddresses({ sender, addresses }: SourceAddressObservation): readonly Finding[] {
  return ([4, 6] as const).flatMap((family) => {
    const own = addresses.filter((address) => address.family === family)
    return own.length === 0 ? [withoutFamily(family)] : own.map((address) => judgeAddress(address, sender))
  })
}

function withoutFamily(family: 4 | 6): Finding {
  const subject = `IPv${family}`
  if (family === 6)
    return ok({ subject, code: 'no-ipv6', summary: 'Not used: mail leaves over IPv4, as nearly everywhere.' })
  const summary = 'Not used: receivers without IPv6, and there are many, cannot be reached.'
  return warning({
    subject,
    code: 'no-ipv4',
    summary,
    remedies: [advice('Ask the provider for an IPv4 address.')],
  })
}

const origins: Readonly<Record<OwnAddress['origin'], string>> = {
  option: 'our address, as given',
  configuration: 'sourceAddresses',
  receiver: 'our address, as a receiver sees it',
  system: 'our address, as the system would choose it',
}

function judgeAddress(address: OwnAddress, sender: Sender): Finding {
  const { ip, origin } = address
  const evidence: readonly Evidence[] = [
    { kind: 'system', asked: origins[origin], answers: [ip], failure: null },
  ]
  const range = specialRangeOf(address)
  if (range === null)
    return ok({ subject: ip, code: 'address-public', summary: 'A public address.', evidence })
  if (sender.allowLocalAddresses) {
    const summary = `A special-purpose address (${range}), which this network allows.`
    return ok({ subject: ip, code: 'address-allowed', summary, evidence })
  }
  if (knownToOthers([address], sender).length === 0) {
    const summary = `A special-purpose address (${range}), so there is address translation (NAT) on the way: receivers see another address, and none of them has said which.`
    const remedies = [
      runCommand(
        'Say the public one, as your provider or router names it.',
        'mxpress doctor --address <address>',
      ),
    ]
    return cannotTell({ subject: ip, code: 'address-translated', summary, evidence, remedies })
  }
  const summary = `A special-purpose address (${range}): nobody on the internet takes mail from it.`
  const remedies = [advice('Send from a host with a public address, or through a relay.')]
  return problem({ subject: ip, code: 'address-not-public', summary, evidence, remedies })
}

export const sourceAddressCheck = defineCheck<SourceAddressObservation>({
  name: 'source-address',
  title: 'Source address',
  observe: async ({ sender, addresses }) => ({ sender, addresses: await addresses() }),
  judge: judgeSourceAddresses,
})
