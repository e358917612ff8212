/**
 * Can these addresses and domains be reached? The front door: targets in, reports out, in the order of the targets, each as
 * soon as it and all before it are known.
 *
 * One rule: memory does not grow with the number of targets. So many are looked at ahead of the one that is due next, and
 * no more are read before that one is taken.
 */
import { AddressLines } from './address-lines.ts'
import { checkProbeOptions, type ProbeOptions, type ProbeSeams, type ProbeSettings } from './options.ts'
import type { ProbeReport } from './report.ts'
import { stoppingBy } from './stopping.ts'
import { openSurroundings, type ProbeSurroundings } from './surroundings.ts'
import { type ProbeTarget, parseProbeTarget } from './target.ts'
import { TargetInput } from './target-input.ts'
import { type Walked, type WalkOptions, walk } from './walk.ts'

export type { ProbeLimits, ProbeOptions, ProbeSeams } from './options.ts'

/**
 * Targets looked at ahead, a few kilobytes each. Enough that a site of which only two may be asked at once does not hold up
 * the others behind it, and that one that is waited for with every time limit does not either.
 */
const AHEAD = 1_000

/**
 * Asks the exchangers of addresses and domains whether they would take mail, and sends none.
 * @param targets one, or any number: `bob@example.org`, `example.org`, `[192.0.2.1]`
 * @returns one report for each, in their order; what the network does is in it and never thrown
 * @throws {TypeError} {AddressError} at once, for a wrong option or for a target of a string or an array; the iteration
 * throws {ConfigError}, and behind the reports on what is known by then {AddressError} for a target of another iterable, what
 * that iterable throws, and `signal.reason` when aborted.
 * @example
 * ```ts
 * for await (const { target, verdict, reason } of probe(['bob@example.net', 'example.com'], {
 *   agent: { hostname: 'mail.example.org' },
 * })) {
 *   console.log(target, verdict, reason)
 * }
 * ```
 */
export function probe(
  targets: string | Iterable<string> | AsyncIterable<string>,
  options: ProbeOptions = {},
  seams: ProbeSeams = {},
): AsyncIterableIterator<ProbeReport> {
  const settings = checkProbeOptions(options)
  const list = typeof targets === 'string' ? [targets] : targets
  if (Array.isArray(list)) for (const text of list) parseProbeTarget(text)
  return run(list, { settings, seams, signal: options.signal })
}

interface Run {
  readonly settings: ProbeSettings
  readonly seams: ProbeSeams
  readonly signal: AbortSignal | undefined
}

async function* run(
  targets: Iterable<string> | AsyncIterable<string>,
  { settings, seams, signal: outer }: Run,
): AsyncGenerator<ProbeReport, void, undefined> {
  // Left early, the iteration ends what is under way.
  const leaving = new AbortController()
  const signal = outer === undefined ? leaving.signal : AbortSignal.any([leaving.signal, outer])
  const stopping = stoppingBy(signal)
  const around = await openSurroundings(settings, seams)
  const walking = { lines: new AddressLines(around), stopping }
  const input = new TargetInput(targets, signal)
  const due: Promise<Walked>[] = []
  let order = 0
  try {
    for (;;) {
      const reading = due.length < AHEAD ? input.next() : null
      const event = await firstOf(due[0], reading)
      if (event === 'nothing left') break
      if (event === 'no more') continue
      if ('target' in event) {
        input.take()
        due.push(begin(event.target, around, { ...walking, order: order++ }))
        continue
      }
      due.shift()
      if (!event.isUntouched) yield event.report
    }
    outer?.throwIfAborted()
    input.throwFailure()
  } finally {
    leaving.abort(new DOMException('nobody takes the reports any more', 'AbortError'))
    input.close()
    await Promise.allSettled(due)
  }
}

function begin(target: ProbeTarget, around: ProbeSurroundings, options: WalkOptions): Promise<Walked> {
  const walking = walk(target, around, options)
  // Whoever takes the report hears of a defect; until then nobody misses it.
  walking.catch(() => {})
  return walking
}

/** The report that is due, or the next target, whichever is there first; a report rather than a target. */
async function firstOf(
  head: Promise<Walked> | undefined,
  reading: Promise<{ readonly target: ProbeTarget } | 'no more'> | null,
): Promise<Walked | { readonly target: ProbeTarget } | 'no more' | 'nothing left'> {
  if (head === undefined) return reading ?? 'nothing left'
  return reading === null ? head : Promise.race([head, reading])
}
