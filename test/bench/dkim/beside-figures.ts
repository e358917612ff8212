/** What the turns of unsigned mail, beside unsigned and beside signed mail, say together. */
import { median } from '../summary.ts'

/** One turn. */
export interface BesideWindow {
  /** Unsigned messages delivered. */
  readonly perSecond: number
  /** Of the times they took, in milliseconds; `NaN` where they were not taken. */
  readonly medianMs: number
  /** The longest of a hundred. */
  readonly slowMs: number
}

/** Two turns, one right after the other. */
export interface BesidePair {
  readonly unsigned: BesideWindow
  readonly signed: BesideWindow
}

/** One figure with unsigned and with signed mail beside it: medians of the turns, and what one is of the other. */
export interface Beside {
  readonly unsigned: number
  readonly signed: number
  /** Signed over unsigned: of all turns together, and the quartiles pair by pair. */
  readonly ratio: {
    readonly overall: number
    readonly low: number
    readonly median: number
    readonly high: number
  }
}

/** @param pairs at least one */
export function summarise(pairs: readonly BesidePair[], figure: keyof BesideWindow): Beside {
  const unsigned = pairs.map((pair) => pair.unsigned[figure])
  const signed = pairs.map((pair) => pair.signed[figure])
  const ratios = pairs.map((pair) => pair.signed[figure] / pair.unsigned[figure])
  return {
    unsigned: median(unsigned),
    signed: median(signed),
    ratio: {
      overall: sumOf(signed) / sumOf(unsigned),
      low: percentile(ratios, 0.25),
      median: median(ratios),
      high: percentile(ratios, 0.75),
    },
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

/** `NaN` of nothing. @param part 0 to 1, 1 excluded */
export function percentile(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN
}
