/**
 * The form of a check: look first, judge afterwards. One rule: a judge is a pure function of what was observed, so that
 * every judgement can be tested without a network.
 */
import { type CheckResult, cannotTell, type Finding } from './result.ts'
import type { Surroundings } from './surroundings.ts'

/** A check as its file writes it. */
export interface CheckPlan<Observed> {
  /** Stable: programs go by it. */
  readonly name: string
  /** For people. */
  readonly title: string
  /** Asks and tries; what fails is an observation too. */
  observe(around: Surroundings): Promise<Observed>
  /** One finding a subject. */
  judge(observed: Observed): readonly Finding[]
}

/** A check as its list runs it. */
export interface Check {
  readonly name: string
  readonly title: string
  run(around: Surroundings): Promise<readonly CheckResult[]>
}

/** Makes a check of its plan. A check that breaks tells so, and leaves the others alone. */
export function defineCheck<Observed>(plan: CheckPlan<Observed>): Check {
  const { name, title } = plan
  return {
    name,
    title,
    async run(around) {
      const findings = await look(plan, around)
      return findings.map((finding) => ({ check: name, title, ...finding }))
    },
  }
}

async function look<Observed>(plan: CheckPlan<Observed>, around: Surroundings): Promise<readonly Finding[]> {
  try {
    const observed = await plan.observe(around)
    // What a library found after the end of all lookups is no finding.
    around.signal.throwIfAborted()
    return plan.judge(observed)
  } catch (error) {
    around.signal.throwIfAborted()
    const summary = `The check itself failed: ${error instanceof Error ? error.message : String(error)}`
    return [cannotTell({ code: 'check-failed', summary })]
  }
}
