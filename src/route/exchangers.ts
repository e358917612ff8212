/**
 * The hosts that accept mail for a domain, and what can be said of such a list without asking anybody.
 * resolve-exchangers.ts makes the list.
 */
import type { RelaySettings } from '../config/relay-settings.ts'

/** A host that accepts mail for a domain. */
export interface Exchanger {
  /** Host name, or an IP address in brackets where the recipient's domain or the operator's route was one. */
  readonly host: string
  readonly preference: number
  /** The domain has no MX record and stands for itself (RFC 5321 §5.1, "implicit MX"). */
  readonly implicit: boolean
  readonly port: number
  /** The operator's `routes` named it: none of its addresses is refused. */
  readonly isStatic?: true
  /** It sends mail on for others: how to reach it safely, and how to log in. Always static. */
  readonly relay?: RelaySettings
}

/** The exchangers of each preference, best first; equals in the order of the list. */
function ranksOf(exchangers: readonly Exchanger[]): readonly (readonly Exchanger[])[] {
  const ranks = new Map<number, Exchanger[]>()
  for (const exchanger of exchangers.toSorted((a, b) => a.preference - b.preference)) {
    const rank = ranks.get(exchanger.preference)
    if (rank === undefined) ranks.set(exchanger.preference, [exchanger])
    else rank.push(exchanger)
  }
  return [...ranks.values()]
}

/**
 * The exchangers in the order to try them: by preference, equals shuffled (RFC 5321 §5.1, "MUST randomize").
 * Call it for each use, so that the sessions of one site spread over its equals.
 * @param random numbers from 0 up to but not including 1, as `Math.random` gives them
 */
export function orderExchangers(
  exchangers: readonly Exchanger[],
  random: () => number = Math.random,
): readonly Exchanger[] {
  return ranksOf(exchangers).flatMap((rank) => shuffle(rank, random))
}

/** Fisher and Yates: each of the n! orders is equally likely. */
function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const pool = [...items]
  const shuffled: T[] = []
  while (pool.length > 0) shuffled.push(...pool.splice(Math.floor(random() * pool.length), 1))
  return shuffled
}

/**
 * The key of the site: the same for all domains with the same exchangers in the same ranks, whatever the numbers and
 * the order of the records. A static route is never one site with a host of the same name that DNS named: its
 * sessions may lead where DNS must not.
 */
export function siteOf(exchangers: readonly Exchanger[]): string {
  const ranks = ranksOf(exchangers).map((rank) => rank.map(nameWithPort).sort().join(' '))
  return ranks.join(' / ')
}

function nameWithPort({ host, port, isStatic, relay }: Exchanger): string {
  return `${isStatic ? 'route:' : ''}${relay === undefined ? '' : loginOf(relay)}${host}:${port}`
}

/** Sessions of one user, or of one degree of safety, are never used for another's mail. */
function loginOf({ tlsMode, login }: RelaySettings): string {
  return `relay:${tlsMode}:${login === null ? '' : `${encodeURIComponent(login.user)}@`}`
}
