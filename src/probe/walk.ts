/**
 * One target from its name to its report: route, every exchanger, every address of each. The way is that of a delivery; only
 * that a delivery would end with the first that takes the message.
 */
import { classifyRoute } from '../delivery/classify.ts'
import { DnsError } from '../dns/resolver.ts'
import type { Exchanger } from '../route/exchangers.ts'
import { parseBracketedIp } from '../route/ip.ts'
import { askExchangers } from '../route/resolve-exchangers.ts'
import { type Route, RouteError } from '../route/route.ts'
import type { Target } from '../route/targets.ts'
import type { AddressLines } from './address-lines.ts'
import { conclude, concludeRoute, type ExchangerEnd } from './conclude.ts'
import { type AddressEnd, interruption } from './inquiry.ts'
import { InterruptedError } from './interrupted.ts'
import type { AddressReport, ExchangerReport, ProbeReport, RecordsReport } from './report.ts'
import type { Stopping } from './stopping.ts'
import type { ProbeSurroundings } from './surroundings.ts'
import type { ProbeTarget } from './target.ts'
import { isLastWord, rule } from './verdict.ts'

/** Addresses asked for one target: nobody honest has more, and who lists thousands of others' shall not have them dialled. */
const MAX_ADDRESSES = 100

/** A report, and whether there is anything in it although the run was stopped. */
export interface Walked {
  readonly report: ProbeReport
  /** Stopped before anything was known of the target. */
  readonly isUntouched: boolean
}

/** The target's place in the run, and what all of them share beside their surroundings. */
export interface WalkOptions {
  /** How many came before it. */
  readonly order: number
  readonly lines: AddressLines
  readonly stopping: Stopping
}

/** Walks one target. Rejects for defects only. */
export async function walk(
  about: ProbeTarget,
  around: ProbeSurroundings,
  options: WalkOptions,
): Promise<Walked> {
  const { signal } = options.stopping
  const head = { target: about.text, domain: about.domain }
  try {
    const route = await around.router.route(about.domain, { signal })
    // Now, while the answer is remembered: the walk may wait for a busy site for as long as it takes.
    const records = await recordsOf(about.domain, route, around)
    const exchangers = await new Walk(route, about, around, options).run()
    const { stopAfter } = around.settings
    const { isDomain } = about
    const conclusion = conclude(exchangers, { stopAfter, isDomain, reachability: around.reachability })
    const report = { ...head, ...conclusion, records, exchangers: exchangers.map(exchangerReport) }
    const isUntouched = signal.aborted && exchangers.every(({ addresses }) => addresses.every(isUntold))
    return { report, isUntouched }
  } catch (error) {
    if (signal.aborted) return { report: interrupted(head, signal), isUntouched: true }
    if (!(error instanceof RouteError)) throw error
    const records = await recordsOf(about.domain, null, around)
    return {
      report: { ...head, ...concludeRoute(error, classifyRoute(error)), records, exchangers: [] },
      isUntouched: false,
    }
  }
}

class Walk {
  readonly #route: Route
  readonly #about: ProbeTarget
  readonly #around: ProbeSurroundings
  readonly #options: WalkOptions
  #left = MAX_ADDRESSES

  constructor(route: Route, about: ProbeTarget, around: ProbeSurroundings, options: WalkOptions) {
    this.#route = route
    this.#about = about
    this.#around = around
    this.#options = options
  }

  run(): Promise<readonly ExchangerEnd[]> {
    return this.#around.settings.first ? this.#inTurn() : this.#together()
  }

  async #together(): Promise<readonly ExchangerEnd[]> {
    const found = await Promise.all(this.#route.exchangers.map((exchanger) => this.#targetsOf(exchanger)))
    return Promise.all(
      found.map(async ({ targets, ...exchanger }) => ({
        ...exchanger,
        addresses: await Promise.all(this.#allowed(targets).map((target) => this.#ask(target))),
      })),
    )
  }

  /** As a delivery would go on: to the next as long as nobody has the last word. */
  async #inTurn(): Promise<readonly ExchangerEnd[]> {
    const ends: ExchangerEnd[] = []
    for (const exchanger of this.#route.exchangers) {
      const { targets, ...found } = await this.#targetsOf(exchanger)
      const addresses: (AddressEnd & { readonly ip: string })[] = []
      ends.push({ ...found, addresses })
      if (found.error?.kind === 'loop') return ends
      for (const target of this.#allowed(targets)) {
        const end = await this.#ask(target)
        addresses.push(end)
        if (end.cause === null || isLastWord(end.cause) || this.#options.stopping.signal.aborted) return ends
      }
    }
    return ends
  }

  async #targetsOf(
    exchanger: Exchanger,
  ): Promise<Omit<ExchangerEnd, 'addresses'> & { readonly targets: readonly Target[] }> {
    const { host, preference, implicit, port } = exchanger
    const known = { host, preference, implicit, port }
    try {
      return {
        ...known,
        error: null,
        targets: await this.#around.router.targets(exchanger, { signal: this.#options.stopping.signal }),
      }
    } catch (error) {
      if (!(error instanceof RouteError)) throw error
      return { ...known, error, targets: [] }
    }
  }

  #allowed(targets: readonly Target[]): readonly Target[] {
    const allowed = targets.slice(0, this.#left)
    this.#left -= allowed.length
    return allowed
  }

  async #ask(target: Target): Promise<AddressEnd & { readonly ip: string }> {
    const { site } = this.#route
    const { lines, order, stopping } = this.#options
    const end = await lines.ask({ target, site, about: this.#about, order, stopping })
    return { ...end, ip: target.ip }
  }
}

const isUntold = ({ cause, record }: AddressEnd): boolean =>
  cause?.error instanceof InterruptedError && record.stages.length === 0

function interrupted(head: Pick<ProbeReport, 'target' | 'domain'>, signal: AbortSignal): ProbeReport {
  const conclusion = concludeRoute(new InterruptedError(signal.reason), interruption(signal))
  return { ...head, ...conclusion, records: noRecords, exchangers: [] }
}

const noRecords: RecordsReport = { mx: [], implicit: false, nullMx: false }

/** What DNS said, from the resolver's memory: the route has asked a moment ago. */
async function recordsOf(
  domain: string,
  route: Route | null,
  { resolver }: ProbeSurroundings,
): Promise<RecordsReport> {
  if (parseBracketedIp(domain) !== null || route?.exchangers[0]?.isStatic) return noRecords
  const answer = await askExchangers(resolver, domain, {})
  if (answer instanceof DnsError) return { ...noRecords, implicit: route?.exchangers[0]?.implicit ?? false }
  const mx = answer.filter(({ host }) => host !== '').map(({ host, preference }) => ({ host, preference }))
  return { mx, implicit: false, nullMx: mx.length === 0 }
}

function exchangerReport({ host, preference, error, addresses, port }: ExchangerEnd): ExchangerReport {
  return {
    host,
    preference,
    error: error?.message ?? null,
    addresses: addresses.map(({ ip, record, cause }): AddressReport => {
      const { stages, openedFor, extensions, tls, recipient, catchAll, vrfy, transcript } = record
      const verdict = cause === null ? 'unknown' : rule(cause).verdict
      return { ip, port, verdict, stages, openedFor, extensions, tls, recipient, catchAll, vrfy, transcript }
    }),
  }
}
