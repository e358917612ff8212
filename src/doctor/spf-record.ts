/** SPF records as text (RFC 7208): read as far as it takes to mend one. What a record means, mailauth says. */

/** What every host may say of its own name. */
export const heloSpfRecord = 'v=spf1 a -all'

/** The terms after the version. */
export function termsOf(record: string): readonly string[] {
  return record.trim().split(/ +/).slice(1)
}

/** RFC 7208 §4.5: the version stands alone, or before a space. */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text)
}

/** Does the record end every evaluation (RFC 7208 §5.1, §6.1)? Without, whoever sends is `neutral`. */
export function endOf(record: string): 'pass' | 'neutral' | 'fail' | 'softfail' | 'redirect' | null {
  for (const term of termsOf(record)) {
    const [, qualifier = '+'] = /^([+?~-])?all$/i.exec(term) ?? [undefined, null]
    if (qualifier !== null)
      return ({ '+': 'pass', '?': 'neutral', '-': 'fail', '~': 'softfail' } as const)[qualifier] ?? null
  }
  return termsOf(record).some((term) => /^redirect=/i.test(term)) ? 'redirect' : null
}

/** Does it use `ptr`, which RFC 7208 §5.5 asks not to? */
export function usesPtr(record: string): boolean {
  return termsOf(record).some((term) => /^[+?~-]?ptr(?:[:/]|$)/i.test(term))
}

/** `ip4:192.0.2.1`. */
export function mechanismFor(ip: string): string {
  return `ip${ip.includes(':') ? 6 : 4}:${ip}`
}

const isAll = (term: string) => /^[+?~-]?all$/i.test(term)

/**
 * One record that says what the given ones say together, and that the addresses may send.
 * @param records may be none; what ends the result is the strictest end among them, and `~all` where there is none
 */
export function mendedSpf(records: readonly string[], addresses: readonly string[]): string {
  const terms = records.flatMap(termsOf)
  const kept = terms.filter(
    (term) => !isAll(term) && !addresses.map(mechanismFor).includes(term.toLowerCase()),
  )
  const redirect = kept.filter((term) => /^redirect=/i.test(term))
  const others = kept.filter((term) => !redirect.includes(term))
  const ends = ['-all', '~all'].find((end) => terms.some((term) => term.toLowerCase() === end))
  const end = redirect.length > 0 && ends === undefined ? redirect : [ends ?? '~all']
  return ['v=spf1', ...addresses.map(mechanismFor), ...new Set(others), ...end].join(' ')
}
