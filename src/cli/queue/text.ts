/** The queue for people. One rule: text that came from the network is escaped and cut, so that a row stays a row. */
import { escapeText } from '../../log/escape.ts'
import { formatAddress } from '../../mail/address.ts'
import { type AttemptRecord, type EntryState, isUnrouted, type QueueEntry } from '../../queue/entry.ts'
import type { QueueCounts, QueueStats } from '../../queue/store.ts'
import { outcomeStyles, seconds } from '../report-text.ts'
import { type Cell, tableLines } from '../table.ts'
import type { Paint, Style } from '../terminal.ts'

const heading = ['id', 'state', 'tries', 'next', 'from', 'to', 'last said']

const stateStyles: Readonly<Record<EntryState, Style>> = {
  ready: 'yellow',
  leased: 'green',
  held: 'cyan',
  dead: 'red',
}

/** Two screens wide with the other columns; `show` has all of it. */
const longestReason = 120

/** The rows of one page of the list under their heading. */
export function entryLines(entries: readonly QueueEntry[], now: number, paint: Paint): string[] {
  return tableLines(
    heading,
    entries.map((entry) => entryCells(entry, now)),
    paint,
  )
}

function entryCells(entry: QueueEntry, now: number): Cell[] {
  const { id, state, uncertain, attempts, recipient, last } = entry
  return [
    id,
    { text: uncertain ? `${state}?` : state, style: stateStyles[state] },
    `${attempts}`,
    state === 'ready' ? until(entry.dueAt, now) : '-',
    pathText(entry.reversePath),
    escapeText(formatAddress(recipient.address)),
    last === null ? '' : escapeText(last.diagnostic, { maxLength: longestReason }),
  ]
}

/** `3 entries: 2 ready, 1 leased, 0 held, 0 dead`. */
export function countsLine(counts: QueueCounts): string {
  const { ready, leased, held, dead } = counts
  const total = ready + leased + held + dead
  if (total === 0) return 'The queue is empty.'
  return `${entriesText(total)}: ${ready} ready, ${leased} leased, ${held} held, ${dead} dead`
}

/** `1 entry`, `2 entries`. */
export function entriesText(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`
}

/** Everything about one entry. */
export function historyLines(
  entry: QueueEntry,
  history: readonly AttemptRecord[],
  { now, paint }: { readonly now: number; readonly paint: Paint },
): string[] {
  const { id, state, recipient, messageId, size, createdAt, expiresAt, last } = entry
  const doubt = entry.uncertain ? ' (uncertain: the message may have arrived)' : ''
  const facts: [string, string][] = [
    ['entry', id],
    ['state', paint(stateStyles[state], state) + doubt],
    ['from', pathText(entry.reversePath)],
    ['to', escapeText(formatAddress(recipient.address))],
    ['message', `${escapeText(messageId)}, ${size} octets`],
    ['queued', `${timeText(createdAt)} (${age(now - createdAt)} ago)`],
    ['next try', state === 'ready' ? `${timeText(entry.dueAt)} (${until(entry.dueAt, now)})` : 'none'],
    ['given up', state === 'ready' || state === 'leased' ? timeText(expiresAt) : 'never'],
    [
      'last said',
      last === null ? 'nothing yet' : `${last.status} at ${last.stage}: ${escapeText(last.diagnostic)}`,
    ],
  ]
  return [
    ...facts.map(([name, value]) => `${name.padEnd(longestFact)}  ${value}`),
    ...history.flatMap((attempt) => attemptLines(attempt, paint)),
  ]
}

const longestFact = 'last said'.length

function attemptLines(attempt: AttemptRecord, paint: Paint): string[] {
  const { number, startedAt, durationMs, outcome, stage, status, diagnostic, targets } = attempt
  const doubt = attempt.uncertain ? ' (uncertain)' : ''
  const style = outcome === 'lost' ? 'red' : outcomeStyles[outcome]
  return [
    '',
    `Attempt ${number}, ${timeText(startedAt)}, ${seconds(durationMs)}: ${paint(style, outcome)}${doubt}, ${status} at ${stage}: ${escapeText(diagnostic)}`,
    ...targets.map((target) => {
      const where = `${escapeText(target.exchanger)} [${target.ip}]:${target.port}`
      return `  ${where} ${seconds(target.durationMs)}: ${target.status} at ${target.stage}: ${escapeText(target.diagnostic)}`
    }),
  ]
}

/** The queue at a glance. */
export function statsLines(stats: QueueStats, now: number, paint: Paint): string[] {
  const { counts, submissions, oldestReadyAt, nextDueAt, sites } = stats
  const facts = [
    countsLine(counts),
    `${submissions} ${submissions === 1 ? 'message' : 'messages'}`,
    ...(oldestReadyAt === null ? [] : [`The oldest has waited for ${age(now - oldestReadyAt)}`]),
    ...(nextDueAt === null ? [] : [`Next try: ${until(nextDueAt, now)}`]),
  ]
  if (sites.length === 0) return facts
  const rows = sites.map(({ site, ready, trouble }): Cell[] => [
    siteText(site),
    `${ready}`,
    trouble === null ? '' : `for ${age(now - trouble.since)}, next try ${until(trouble.until, now)}`,
    trouble === null ? '' : escapeText(trouble.last.diagnostic, { maxLength: longestReason }),
  ])
  return [...facts, '', ...tableLines(['site', 'ready', 'in trouble', 'last said'], rows, paint)]
}

/** Site keys of domains that nobody has looked up yet begin with a mark that is not for people. */
function siteText(site: string): string {
  return escapeText(isUnrouted(site) ? site.slice(1) : site, { maxLength: 60 })
}

function pathText(reversePath: QueueEntry['reversePath']): string {
  return reversePath === null ? '<>' : escapeText(formatAddress(reversePath))
}

function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

/** `now`, `in 4m`. */
function until(epochMs: number, now: number): string {
  return epochMs <= now ? 'now' : `in ${age(epochMs - now)}`
}

const units: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
]

/** Two figures at least: `90s`, `15m`, `36h`, `5d`. */
function age(ms: number): string {
  const [unitMs, unit] = units.find(([size]) => ms >= 2 * size) ?? [1_000, 's']
  return `${Math.max(0, Math.round(ms / unitMs))}${unit}`
}
