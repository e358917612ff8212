/**
 * Everything the log can say, as a closed union: plain values, so that both formats and every reader agree on them.
 * Never a message body, never a secret.
 */

/** The peer of an event. */
export interface LogTarget {
  readonly exchanger: string
  readonly ip: string
  readonly port: number
}

/** TLS of a session; `null` stands for clear text. */
export interface LogTls {
  readonly protocol: string
  readonly cipher: string
  readonly verified: boolean
  readonly reason: string | null
}

/** A domain's exchangers were looked up. */
export interface LookupEvent {
  readonly kind: 'lookup'
  readonly id: string
  readonly domain: string
  /** Host names in order of preference; empty when `error` says why there are none. */
  readonly exchangers: readonly string[]
  readonly error: string | null
  readonly durationMs: number
}

/** An address is about to be dialled. */
export interface TryingEvent {
  readonly kind: 'trying'
  readonly id: string
  readonly target: LogTarget
}

/** A connection was opened, or could not be made into a session. */
export interface ConnectionEvent {
  readonly kind: 'connection'
  readonly id: string
  readonly target: LogTarget
  /** `null` when the session stands; else what went wrong, the peer's words included. */
  readonly error: string | null
  readonly durationMs: number
}

/** A TLS handshake ended. */
export interface TlsEvent {
  readonly kind: 'tls'
  readonly id: string
  readonly target: LogTarget
  readonly tls: LogTls | null
  readonly resumed: boolean
  readonly error: string | null
}

/** One attempt's verdict on one recipient. The last such line of a recipient is its outcome. */
export interface VerdictEvent {
  readonly kind: 'verdict'
  readonly id: string
  readonly to: string
  readonly field: string
  /** `retrying`: not the outcome yet, the next exchanger is asked. */
  readonly outcome: 'delivered' | 'deferred' | 'failed' | 'retrying'
  readonly uncertain: boolean
  /** `null` when no exchanger was reached for. */
  readonly target: LogTarget | null
  readonly tls: LogTls | null
  readonly stage: string
  readonly status: string
  readonly delayMs: number
  /** `relay` or `fallbackRelay`, where the exchanger is one; absent otherwise. */
  readonly via?: string
  /** The peer's reply, or our own words where there is none. */
  readonly reply: string
}

/** A session ended. */
export interface SessionEndEvent {
  readonly kind: 'session-end'
  readonly id: string
  readonly target: LogTarget
  readonly transactions: number
  readonly durationMs: number
  /** `quit`, or why the session was dropped. */
  readonly reason: string
}

/** A program or user handed in a message, and the queue has it or it was refused. */
export interface SubmissionEvent {
  readonly kind: 'submission'
  /** Of the transaction; stands in the Received field too. */
  readonly id: string
  /** What the queue calls the message; `null` when it was refused. */
  readonly queueId: string | null
  /** The client's IP address. */
  readonly client: string
  /** Who had logged in; `null` for programs of this host. */
  readonly user: string | null
  /** Protocol version; `null` in clear. */
  readonly tls: string | null
  /** Empty for the null reverse-path. */
  readonly reversePath: string
  readonly recipients: number
  /** Octets of the content as it came. */
  readonly size: number
  /** What the client was told. */
  readonly reply: string
  /** What the client was not told; `null` when there is nothing of the kind. */
  readonly error: string | null
}

/**
 * A message of a domain whose mail is signed goes out without a signature, because none can be made. One that is signed
 * already, or is of nobody's domain, is no such event.
 */
export interface UnsignedEvent {
  readonly kind: 'unsigned'
  readonly id: string
  /** With its angle brackets; empty where the message has none. */
  readonly messageId: string
  /** The one that has the keys; empty where a From field that cannot be read names no domain at all. */
  readonly domain: string
  /**
   * `several-from`: a signature would vouch for each of its From fields · `unreadable-from`: its From field is malformed,
   * and names the domain, or none · `too-many-fields` to name in a signature · `header-too-large`: no end of the header
   * where any receiver would still look for one.
   */
  readonly reason: 'several-from' | 'unreadable-from' | 'too-many-fields' | 'header-too-large'
}

/** Somebody tried to log in. */
export interface LoginEvent {
  readonly kind: 'login'
  readonly id: string
  readonly client: string
  /** The name that was given, whether it exists or not. */
  readonly user: string
  readonly isRight: boolean
  readonly error: string | null
}

/** What a failed or deferred attempt, or the end of its time, means for an entry of the queue. */
export interface SettledEvent {
  readonly kind: 'settled'
  /** Of the entry. */
  readonly id: string
  readonly to: string
  readonly outcome: 'delivered' | 'deferred' | 'failed'
  /** `gone`: nothing of it is left in the queue. */
  readonly state: 'ready' | 'held' | 'dead' | 'gone'
  readonly uncertain: boolean
  readonly attempts: number
  /** When it is tried again, ISO 8601; `null` when it is not. */
  readonly dueAt: string | null
  /** Reports to the sender that were queued with it. */
  readonly reports: number
  readonly status: string
}

/** Something is wrong that is nobody's mail: the disk is full, a query fails. Work goes on. */
export interface TroubleEvent {
  readonly kind: 'trouble'
  readonly id: string
  readonly error: string
}

/** The daemon begins or ends. */
export interface ServiceEvent {
  readonly kind: 'service'
  readonly id: string
  readonly act: 'started' | 'stopping' | 'stopped'
  /** The queue directory. */
  readonly queue: string
  /** Where it listens. */
  readonly submission: readonly string[]
}

export type LogEvent =
  | LookupEvent
  | TryingEvent
  | ConnectionEvent
  | TlsEvent
  | VerdictEvent
  | SessionEndEvent
  | SubmissionEvent
  | UnsignedEvent
  | LoginEvent
  | SettledEvent
  | TroubleEvent
  | ServiceEvent

/** Lines could not be written and were given up, so that the log does not grow in memory; said by the log itself. */
export interface LostEvent {
  readonly kind: 'lost'
  readonly lines: number
  /** What kept them out of the file. */
  readonly error: string
}

/** What a format must be able to show. */
export type LogRecord = LogEvent | LostEvent
