/**
 * Is port 25 open to the outside? Most clouds and all home connections block it; then only a relay helps.
 * One rule: a block is claimed only when receivers that have nothing to do with each other all keep silent, or all turn
 * us away; one that answers proves it open.
 */
import { defineCheck } from '../check.ts'
import type { DialledReceiver, DialledTarget } from '../receivers.ts'
import {
  advice,
  cannotTell,
  type Evidence,
  type Finding,
  ok,
  problem,
  type Remedy,
  runCommand,
  warning,
} from '../result.ts'

/** So many must agree before their silence is the provider's. */
const ENOUGH = 2

const families = [4, 6] as const

const askProvider: readonly Remedy[] = [
  advice(
    'Ask the provider of this host to open outgoing TCP port 25 (many do on request, some never); until then send through a relay.',
  ),
]

/** What became of the dialling, and whether it matters. */
export interface Port25Observation {
  readonly receivers: readonly DialledReceiver[]
  /** Where all mail goes instead of to its exchangers; `null`: nowhere. */
  readonly relay: string | null
}

/** A finding for each family. */
export function judgePort25({ receivers, relay }: Port25Observation): readonly Finding[] {
  return families.map((family) => {
    const subject = `IPv${family}`
    const evidence = evidenceFor(receivers, family)
    const finding = judgeFamily(targetsOf(receivers, family), targetsOf(receivers, family === 4 ? 6 : 4))
    return relay === null || finding.status === 'ok'
      ? { ...finding, subject, evidence }
      : { ...withRelay(finding, relay), subject, evidence }
  })
}

/** Whoever hands all mail to a relay, on another port, needs no port 25. */
function withRelay(finding: Finding, relay: string): Finding {
  const summary = `${finding.summary} Mail goes to the relay ${relay}, which does not need it.`
  return { ...finding, status: 'ok', summary }
}

function judgeFamily(targets: readonly DialledTarget[], others: readonly DialledTarget[]): Finding {
  const isOtherOpen = others.some(({ outcome }) => outcome === 'open')
  const isOtherRouted = others.some(({ outcome }) => outcome !== 'no-route')
  const open = targets.filter(({ outcome }) => outcome === 'open')
  if (open.length > 0) return judgeOpen(open, targets.length)
  if (targets.length === 0) {
    if (isOtherOpen) return unused
    return cannotTell({ code: 'port-25-unasked', summary: 'No receiver has an address to dial.' })
  }
  if (targets.every(({ outcome }) => outcome === 'no-route')) return withoutRoute(isOtherRouted)
  if (targets.every(({ outcome }) => outcome === 'no-source')) return withoutSource()
  if (targets.length < ENOUGH) {
    const summary = 'One receiver was dialled in vain; that may be the receiver’s fault.'
    return cannotTell({ code: 'port-25-one-silent', summary })
  }
  const closed = judgeClosed(targets)
  return isOtherOpen ? { ...closed, status: 'warning', remedies: [onlyOther, ...closed.remedies] } : closed
}

const onlyOther = advice(
  'Mail leaves over the other family: name its address alone in `sourceAddresses`, and no time is lost on this one.',
)

const unreachable = ok({ code: 'port-25-unused', summary: 'Not used: this host has no way out over it.' })

const unused = ok({ code: 'port-25-unused', summary: 'Not used; the other family is open.' })

function withoutSource(): Finding {
  const summary = 'This host has none of the addresses that `sourceAddresses` names for it.'
  const remedies = [runCommand('See which it has, and name those, or none.', 'ip -brief address')]
  return problem({ code: 'port-25-no-source', summary, remedies })
}

function withoutRoute(isOtherRouted: boolean): Finding {
  if (isOtherRouted) return unreachable
  const summary = 'This host has no way to the internet.'
  return problem({ code: 'port-25-no-route', summary, remedies: [advice('Mend the network first.')] })
}

function judgeClosed(targets: readonly DialledTarget[]): Finding {
  const silent = targets.filter(({ outcome }) => outcome === 'silent').length
  if (silent === targets.length) {
    const summary = `Your provider blocks port 25: none of ${silent} receivers, unrelated to each other, answers.`
    return problem({ code: 'port-25-blocked', summary, remedies: askProvider })
  }
  const summary = `Port 25 is blocked, on this host or by your provider: ${targets.length} receivers dialled, every connection turned away or unanswered.`
  const firewall = advice('Look at this host’s own firewall for rules on outgoing port 25.')
  return problem({ code: 'port-25-refused', summary, remedies: [firewall, ...askProvider] })
}

/** Open: but is it them, and do they want us? */
function judgeOpen(open: readonly DialledTarget[], asked: number): Finding {
  const greeted = open.filter(({ lines }) => lines.length > 0)
  const names = new Set(greeted.map(({ lines: [greeting = ''] }) => greeting.split(/[ -]/)[1]?.toLowerCase()))
  if (greeted.length >= ENOUGH && names.size === 1 && !greeted.some(isGreetedByItself)) {
    const summary = `All receivers greet as ${[...names][0]}: something on the way answers for them.`
    const remedies = [advice('Ask the provider to let SMTP pass unchanged; encryption cannot work either.')]
    return warning({ code: 'port-25-intercepted', summary, remedies })
  }
  const refusing = open.filter(({ lines: [greeting = ''] }) => /^[45]/.test(greeting))
  if (refusing.length > 0) {
    const summary = `Open, but ${refusing.map(({ target }) => target).join(', ')} turned us away at the greeting.`
    const remedies = [advice('Read its words in the evidence; most name a page to ask for removal.')]
    return warning({ code: 'port-25-turned-away', summary, remedies })
  }
  return ok({ code: 'port-25-open', summary: `${open.length} of ${asked} receivers answered.` })
}

/** Hosts of one operator may greet alike: `mx.google.com`. */
function isGreetedByItself({ target, lines: [greeting = ''] }: DialledTarget): boolean {
  const [host = ''] = target.split(' ')
  const operator = host.split('.').slice(-2).join('.')
  return greeting.toLowerCase().includes(operator)
}

function targetsOf(receivers: readonly DialledReceiver[], family: 4 | 6): readonly DialledTarget[] {
  return receivers.flatMap(({ targets }) => targets).filter((target) => target.family === family)
}

function evidenceFor(receivers: readonly DialledReceiver[], family: 4 | 6): readonly Evidence[] {
  const dialled = targetsOf(receivers, family).map(
    ({ target, lines, failure }): Evidence => ({
      kind: 'connection',
      asked: `connect ${target}`,
      answers: lines,
      failure,
    }),
  )
  const unknown = receivers.flatMap(({ domain, failure }): Evidence[] =>
    failure === null ? [] : [{ kind: 'dns', asked: `exchangers of ${domain}`, answers: [], failure }],
  )
  return [...dialled, ...unknown]
}

export const port25Check = defineCheck({
  name: 'port-25',
  title: 'Port 25',
  observe: async (around) => {
    const { relay } = around.settings
    return { receivers: await around.receivers(), relay: relay?.domains.includes('*') ? relay.host : null }
  },
  judge: judgePort25,
})
