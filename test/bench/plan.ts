/** Which runs are made: the matrix, or what `--only` leaves of it. One rule: an `--only` that names nothing is an error. */
import type { Contender } from './contender.ts'
import { type Workload, workloadName } from './workload.ts'

/** The memory measurement's name for `--only`. */
export const recipientsName = 'recipients'

/** A workload and who takes it on. */
export interface Heat {
  readonly workload: Workload
  readonly contenders: readonly Contender[]
}

/** `2 KB x 10: mxpress BDAT`. */
export function runName(workload: Workload, contender: Contender): string {
  return `${workloadName(workload)}: ${contender.name}`
}

/** @param only texts one of which a run's name must hold; none: all runs. @throws {TypeError} */
export function planHeats(
  workloads: readonly Workload[],
  contenders: readonly Contender[],
  only: readonly string[],
): readonly Heat[] {
  const heats = workloads.map((workload) => ({
    workload,
    contenders: contenders.filter((one) => one.takesPart(workload)),
  }))
  const names = heats.flatMap((heat) => heat.contenders.map((one) => runName(heat.workload, one)))
  const stray = only.find((text) => ![...names, recipientsName].some((name) => name.includes(text)))
  if (stray !== undefined)
    throw new TypeError(`--only ${stray}: expected a part of one of\n${names.join('\n')}`)
  return heats
    .map(({ workload, contenders }) => ({
      workload,
      contenders: contenders.filter((one) => isWanted(runName(workload, one), only)),
    }))
    .filter((heat) => heat.contenders.length > 0)
}

/** Whether `--only` leaves the run of this name. */
export function isWanted(name: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((text) => name.includes(text))
}
