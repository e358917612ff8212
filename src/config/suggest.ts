/** "Did you mean …?" for a word that is none of the known ones. */

/** The known word nearest to `word`; `null` when none is near: more than a quarter of its letters would have to change. */
export function suggest(word: string, known: readonly string[]): string | null {
  const plain = plainly(word)
  const allowed = Math.max(1, Math.floor(plain.length / 4))
  let nearest: string | null = null
  let fewest = allowed + 1
  for (const candidate of known) {
    const changes = distance(plain, plainly(candidate))
    if (changes < fewest) {
      nearest = candidate
      fewest = changes
    }
  }
  return nearest
}

/** `per_site`, `per-site` and `PerSite` are one word. */
function plainly(word: string): string {
  return word.toLowerCase().replace(/[_-]/g, '')
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
