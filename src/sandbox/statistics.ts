/** What the sandbox counts, so that a test can assert round trips, connections and queries instead of guessing. */

/** Counted at one exchanger since the start. */
export interface ExchangerStatistics {
  /** TCP connections accepted. */
  readonly connections: number
  /** Of these, open now. */
  readonly open: number
  /** The most that were open at once. */
  readonly peak: number
  /** TLS handshakes that succeeded, and how many of them resumed an earlier session. */
  readonly handshakes: number
  readonly resumptions: number
  /** Messages taken responsibility for: a 250 to end of data. */
  readonly transactions: number
  /** Sessions that the client ended with QUIT (RFC 5321 §4.1.1.10). */
  readonly quits: number
}

/** What was counted up to now. */
export interface SandboxStatistics {
  /** By host name of the exchanger. */
  readonly exchangers: ReadonlyMap<string, ExchangerStatistics>
  /** Queries received by the name server, by type and lower-case name: `MX accepts.test`. */
  readonly queries: ReadonlyMap<string, number>
}

/** The counters behind the statistics; the exchanger that owns them writes. */
export type Counters = { -readonly [Key in keyof ExchangerStatistics]: ExchangerStatistics[Key] }

/** Counters at nought. */
export const makeCounters = (): Counters => ({
  connections: 0,
  open: 0,
  peak: 0,
  handshakes: 0,
  resumptions: 0,
  transactions: 0,
  quits: 0,
})
