/** Figures of contenders that take turns. */

/** What each contender did, a figure a round. */
export class Rates {
  readonly #figures = new Map<string, number[]>()

  note(name: string, rate: number): void {
    this.#figures.set(name, [...(this.#figures.get(name) ?? []), rate])
  }

  /** The medians, what lies around them, and the first's relation to the second. */
  toString(): string {
    const rows = [...this.#figures].map(([name, figures]) => {
      const sorted = [...figures].sort((a, b) => a - b)
      return { name, sorted, median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN }
    })
    const [ours, theirs] = rows
    const texts = rows.map(
      ({ name, sorted, median }) =>
        `${name} ${whole(median)} (${whole(sorted[0] ?? 0)} to ${whole(sorted.at(-1) ?? 0)})`,
    )
    const ratio = ours && theirs ? `  ratio ${(ours.median / theirs.median).toFixed(2)}` : ''
    return texts.join('  ') + ratio
  }
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en')
}
