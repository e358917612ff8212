/**
 * What the peer offers in its latest EHLO reply (RFC 5321 §4.1.1.1). One rule: an offer is remembered only from the
 * session, and from the side of STARTTLS, on which it was made (RFC 3207 §4.2).
 */

/** The extensions this program uses, and the keywords as they came. */
export interface Extensions {
  readonly pipelining: boolean
  readonly chunking: boolean
  readonly startTls: boolean
  readonly eightBitMime: boolean
  readonly smtpUtf8: boolean
  /** Wishes about reports may be passed on, and are then the peer's to fulfil (RFC 3461 §5.2.1). */
  readonly dsn: boolean
  /** SIZE was offered, so SIZE= may be declared (RFC 1870 §6). */
  readonly size: boolean
  /** The fixed maximum message size in octets; `null` when none was named (RFC 1870 §4). */
  readonly sizeLimitOctets: number | null
  /** Transactions the peer allows in one session (RFC 9422 §4.1); `null` when it does not say. */
  readonly mailMax: number | null
  /** Recipients the peer allows in one transaction (RFC 9422 §4.2); `null` when it does not say. */
  readonly rcptMax: number | null
  /** The SASL mechanisms of AUTH, upper-case (RFC 4954 §3); `null` when AUTH is not offered. */
  readonly auth: readonly string[] | null
  /** Keywords in the order offered, upper-case. */
  readonly keywords: readonly string[]
}

/** What a server that only knows HELO offers. */
export const noExtensions: Extensions = parseExtensions([])

/** Reads the lines of an EHLO reply; the first is the greeting and names no extension. */
export function parseExtensions(lines: readonly string[]): Extensions {
  const offers = new Map<string, string>()
  for (const line of lines.slice(1)) {
    const [keyword = '', ...parameters] = line.trim().split(/[ \t]+/)
    // RFC 5321 §4.1.1.1: keywords are case-insensitive. The first of equal ones counts.
    if (keyword !== '' && !offers.has(keyword.toUpperCase())) {
      offers.set(keyword.toUpperCase(), parameters.join(' '))
    }
  }
  return {
    pipelining: offers.has('PIPELINING'),
    chunking: offers.has('CHUNKING'),
    startTls: offers.has('STARTTLS'),
    eightBitMime: offers.has('8BITMIME'),
    smtpUtf8: offers.has('SMTPUTF8'),
    dsn: offers.has('DSN'),
    size: offers.has('SIZE'),
    sizeLimitOctets: positive(offers.get('SIZE')),
    mailMax: limitOf('MAILMAX', offers.get('LIMITS')),
    rcptMax: limitOf('RCPTMAX', offers.get('LIMITS')),
    auth: mechanismsOf(offers),
    keywords: [...offers.keys()],
  }
}

/** `AUTH=PLAIN …` is how servers before RFC 2554 said it; some still say it beside `AUTH PLAIN …`. */
function mechanismsOf(offers: ReadonlyMap<string, string>): readonly string[] | null {
  const lists = [...offers].flatMap(([keyword, parameters]) => {
    if (keyword === 'AUTH') return [parameters]
    return keyword.startsWith('AUTH=') ? [`${keyword.slice('AUTH='.length)} ${parameters}`] : []
  })
  if (lists.length === 0) return null
  return [
    ...new Set(
      lists
        .join(' ')
        .toUpperCase()
        .split(' ')
        .filter((name) => name !== ''),
    ),
  ]
}

function limitOf(name: string, limits = ''): number | null {
  return positive(new RegExp(`(?:^| )${name}=(\\d{1,6})(?: |$)`, 'i').exec(limits)?.[1])
}

// RFC 1870 §4: zero, or no number, means that no fixed maximum is in force. RFC 9422 §3: a malformed limit is ignored.
function positive(text: string | undefined): number | null {
  const value = text !== undefined && /^\d{1,20}$/.test(text) ? Number(text) : 0
  return value > 0 ? value : null
}
