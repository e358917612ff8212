/**
 * The one DNS seam. Above it nobody knows `node:dns`; a test hands in a map of records.
 * Failures are `DnsError`s whose `kind` says what the name server said, because each has its own verdict.
 */

/** One MX record. A null MX (RFC 7505) is the single record with an empty `host`. */
export interface MxRecord {
  /** Lower-case host name without the final dot; `''` is the root. */
  readonly host: string
  readonly preference: number
}

/**
 * `no-domain` NXDOMAIN · `no-records` NODATA: the name exists, without records of this type ·
 * `temporary` SERVFAIL, REFUSED, time-out, no server reached, malformed answer.
 */
export type DnsErrorKind = 'no-domain' | 'no-records' | 'temporary'

/** A lookup that gave no records. */
export class DnsError extends Error {
  override readonly name = 'DnsError'
  readonly code = 'ERR_DNS'
  readonly kind: DnsErrorKind
  /** The resolver's own code: `ENOTFOUND`, `ESERVFAIL`, `ETIMEOUT` … */
  readonly reason: string

  constructor(kind: DnsErrorKind, reason: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
    this.reason = reason
  }
}

/** Every lookup rejects with `DnsError`, or with `signal.reason` when aborted; none resolves to an empty list. */
export interface Resolver {
  resolveMx(domain: string, options?: { signal?: AbortSignal }): Promise<readonly MxRecord[]>
  /** IPv4 addresses in the order given. */
  resolve4(host: string, options?: { signal?: AbortSignal }): Promise<readonly string[]>
  /** IPv6 addresses in the order given. */
  resolve6(host: string, options?: { signal?: AbortSignal }): Promise<readonly string[]>
}

/**
 * A resolver that also tells what a domain publishes about its mail, and what an address is called. Delivery needs none
 * of it; `mxpress doctor` does.
 */
export interface RecordResolver extends Resolver {
  /** Each record as its character-strings, which belong together without anything between (RFC 7208 §3.3). */
  resolveTxt(name: string, options?: { signal?: AbortSignal }): Promise<readonly (readonly string[])[]>
  /** Host names in lower case. @param name as `reverseName` gives it: `1.2.0.192.in-addr.arpa` */
  resolvePtr(name: string, options?: { signal?: AbortSignal }): Promise<readonly string[]>
  /** What the name itself is an alias of, without following further. */
  resolveCname(name: string, options?: { signal?: AbortSignal }): Promise<readonly string[]>
}
