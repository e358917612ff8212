/** Is an address or the domain of ours on a block list? One finding a list. */
import { isFqdn } from '../../config/host.ts'
import { reversedLabels } from '../../dns/reverse-name.ts'
import {
  type BlockListEntry,
  type BlockListKind,
  type BlockListObservation,
  refusalReason,
  testAddress,
  testDomain,
  verdictOf,
} from '../block-list.ts'
import { defineCheck } from '../check.ts'
import { evidenceOf, type Questions } from '../questions.ts'
import {
  advice,
  cannotTell,
  type Finding,
  ok,
  problem,
  type Remedy,
  runCommand,
  sayAddress,
  setting,
} from '../result.ts'
import { knownToOthers } from '../sender.ts'

/** Listed outweighs refused, which outweighs silence. */
export function judgeBlockList(observed: BlockListObservation): Finding {
  const { list, test, entries } = observed
  const evidence = [test, ...entries.flatMap(({ a, txt }) => (txt === null ? [a] : [a, txt]))].map(evidenceOf)
  const said = { subject: list, evidence }
  const verdicts = entries.map((entry) => ({ ...entry, verdict: verdictOf(entry.a, test) }))
  const listed = verdicts.filter(({ verdict }) => verdict === 'listed')
  if (listed.length > 0) return judgeListed(observed, listed, said)
  const names = entries.map(({ entry }) => entry).join(', ')
  if (verdicts.length === 0)
    return cannotTell({
      ...said,
      code: 'address-unknown',
      summary: 'The address that receivers see is not known.',
      remedies: [sayAddress],
    })
  if (verdicts.every(({ verdict }) => verdict === 'not-listed'))
    return ok({ ...said, code: 'not-listed', summary: `${names}: not listed.` })
  if (verdicts.some(({ verdict }) => verdict === 'refused')) return judgeRefused(observed, said)
  if (verdicts.some(({ verdict }) => verdict === 'strange')) {
    const summary = 'Something answered that is no block list, probably a name server that makes answers up.'
    return cannotTell({ ...said, code: 'list-strange', summary, remedies: ownResolver })
  }
  return cannotTell({ ...said, code: 'list-unanswered', summary: 'The list did not answer.' })
}

function judgeListed(
  { list }: BlockListObservation,
  listed: readonly BlockListEntry[],
  said: Partial<Finding>,
): Finding {
  const names = listed.map(({ entry, a }) => `${entry} (${a.records.join(', ')})`).join(', ')
  const reasons = listed.flatMap(({ txt }) => txt?.records ?? [])
  const summary = `${names}: listed.${reasons.length > 0 ? ` ${reasons.join(' ')}` : ''}`
  const remedies = [
    advice(
      `End what it is listed for, then ask for removal where the reason says, or at the site of ${list}.`,
    ),
  ]
  return problem({ ...said, code: 'listed', summary, remedies })
}

const ownResolver: readonly Remedy[] = [
  runCommand(
    'Ask the lists through a resolver of your own instead of a public one.',
    'apt-get install unbound',
  ),
  setting('Then ask it.', '[dns]\nservers = ["127.0.0.1"]'),
]

function judgeRefused({ test, entries }: BlockListObservation, said: Partial<Finding>): Finding {
  const reasons = [test, ...entries.map(({ a }) => a)].flatMap((answer) => refusalReason(answer) ?? [])
  const why =
    reasons[0] ?? 'it does not know even its test entry, so it shuts this resolver out, or is no more'
  const summary = `The list refused our query, which says nothing about us: ${why}.`
  return cannotTell({ ...said, code: 'list-refused', summary, remedies: ownResolver })
}

async function ask(questions: Questions, list: string, kind: BlockListKind, own: readonly string[]) {
  const label = (entry: string) => (kind === 'address' ? reversedLabels(entry) : entry)
  const test = questions.a(`${label(kind === 'address' ? testAddress : testDomain(list))}.${list}`)
  const entries = own.map(async (entry): Promise<BlockListEntry> => {
    const name = `${label(entry)}.${list}`
    const a = await questions.a(name)
    return { entry, a, txt: a.records.length > 0 ? await questions.txt(name) : null }
  })
  return { list, kind, test: await test, entries: await Promise.all(entries) } satisfies BlockListObservation
}

const distinct = (lists: readonly string[]) => [...new Set(lists)]

export const blockListsCheck = defineCheck<readonly BlockListObservation[]>({
  name: 'block-list',
  title: 'Block list',
  async observe({ sender, settings, questions, addresses }) {
    const { addressLists, domainLists } = settings.doctor
    const ips = knownToOthers(await addresses(), sender).map(({ ip }) => ip)
    const { domain, hostname } = sender
    const isOther = hostname !== null && isFqdn(hostname) && hostname !== domain
    const names = isOther ? [domain, hostname] : [domain]
    return Promise.all([
      ...distinct(addressLists).map((list) => ask(questions, list, 'address', ips)),
      ...distinct(domainLists).map((list) => ask(questions, list, 'domain', names)),
    ])
  },
  judge: (observed) => observed.map(judgeBlockList),
})
