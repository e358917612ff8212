/**
 * Where mail for a domain goes. The addresses of an exchanger are looked up only when its turn has come, so that a
 * cold domain costs at most three DNS queries (MX, A, AAAA) however many exchangers it lists.
 */
import type { Exchanger } from './exchangers.ts'
import type { Target } from './targets.ts'

/** The way to one domain. */
export interface Route {
  readonly domain: string
  /** The exchangers by rank; domains that share them share sessions and limits. */
  readonly site: string
  /** At least one; ascending preference, equals in record order; shuffle with `orderExchangers` before each use. */
  readonly exchangers: readonly Exchanger[]
  /** The way when all of them refuse the connection or do not answer; not where the operator named a host for the domain. */
  readonly fallback?: Route
}

/**
 * `no-domain` 5.1.2 · `null-mx` 5.1.10 · `dns` 4.4.3 · `loop` 5.4.6 (we are the exchanger) ·
 * `no-address` 4.4.4 · `forbidden` 4.4.4 (a special-purpose address that DNS or a literal named).
 */
export type RouteErrorKind = 'no-domain' | 'null-mx' | 'dns' | 'loop' | 'no-address' | 'forbidden'

/** There is no way to the domain, or to one of its exchangers. */
export class RouteError extends Error {
  override readonly name = 'RouteError'
  readonly code = 'ERR_ROUTE'
  readonly kind: RouteErrorKind

  constructor(kind: RouteErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** Finds routes; one per agent, its answers cached by the resolver below it. */
export interface Router {
  /**
   * Who accepts mail for a domain (lower-case A-labels, or an address literal with its brackets).
   * @throws {RouteError} `no-domain`, `null-mx`, `dns`, `loop`; `no-address` for a literal without an IP address.
   * `signal.reason` when aborted.
   */
  route(domain: string, options?: { signal?: AbortSignal }): Promise<Route>
  /**
   * The addresses of one exchanger in dialling order, families alternating.
   * @throws {RouteError} `no-address` (the name has none, or does not exist), `forbidden`, `dns`, `loop` (an address is
   * our own: the caller drops the exchangers of equal and worse preference too, RFC 5321 §5.1).
   * `signal.reason` when aborted.
   */
  targets(exchanger: Exchanger, options?: { signal?: AbortSignal }): Promise<readonly Target[]>
}
