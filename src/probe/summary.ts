/** What many reports come to. One rule: it counts and keeps none of them. */
import { type Answer, answerOf } from './answer.ts'
import { ENOUGH_SITES } from './reachability.ts'
import type { ProbeReport } from './report.ts'
import type { Verdict } from './verdict.ts'

/** Takes reports one by one. */
export class ProbeSummary {
  readonly verdicts: Partial<Record<Verdict, number>> = {}
  readonly answers: Record<Answer, number> = { yes: 0, undecided: 0, no: 0 }
  readonly #silentSites = new Set<string>()
  #hasConnected = false
  #targets = 0

  add(report: ProbeReport): void {
    this.#targets++
    this.verdicts[report.verdict] = (this.verdicts[report.verdict] ?? 0) + 1
    this.answers[answerOf(report)]++
    const dialled = report.exchangers.flatMap(({ addresses }) => addresses)
    const connects = dialled.flatMap(({ stages }) => stages.filter(({ stage }) => stage === 'connect'))
    this.#hasConnected ||= connects.some(({ ok }) => ok)
    if (this.#hasConnected) this.#silentSites.clear()
    else if (connects.length > 0 && this.#silentSites.size < ENOUGH_SITES) {
      this.#silentSites.add(report.exchangers.map(({ host }) => host).join(' '))
    }
  }

  get targets(): number {
    return this.#targets
  }

  /** Nobody answered at all, and enough were asked: it is the way out of here that is closed, not they. */
  get seemsBlocked(): boolean {
    return !this.#hasConnected && this.#silentSites.size >= ENOUGH_SITES
  }
}
