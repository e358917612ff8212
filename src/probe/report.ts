/**
 * What is told of a target: plain values, every key always there; config/probe.schema.json describes the same for other
 * programs. Text of the peer in it is as it came: escape it before showing it.
 */
import type { CertificateFacts } from '../client/certificate.ts'
import type { Verdict } from './verdict.ts'

/** Where an inquiry can be told to end; in this order, EHLO again after STARTTLS. */
export const probeStages = ['connect', 'greeting', 'ehlo', 'starttls', 'mail', 'rcpt'] as const

/** A stage of a probe. */
export type ProbeStage = (typeof probeStages)[number]

/** What a server said. */
export interface ReplyReport {
  readonly code: number
  /** The server's own enhanced status, if its class agrees with the code. */
  readonly status: string | null
  /** The text, without code and status. */
  readonly lines: readonly string[]
}

/** One stage at one address. */
export interface StageReport {
  readonly stage: ProbeStage
  /** The stage went well; where a reply was due, it was positive. */
  readonly ok: boolean
  readonly durationMs: number
  /** `null`: nothing was to be said, or nothing came. */
  readonly reply: ReplyReport | null
  /** What went wrong where no reply says it. */
  readonly error: string | null
}

/** What protected a session. */
export interface ProbeTls {
  readonly protocol: string
  readonly cipher: string
  /** The certificate chains to a trusted CA and names the exchanger. */
  readonly verified: boolean
  /** Why `verified` is false. */
  readonly reason: string | null
  readonly certificate: CertificateFacts | null
}

/** A line of a dialogue. */
export interface TranscriptLine {
  /** Milliseconds since the address was dialled. */
  readonly atMs: number
  readonly from: 'client' | 'server'
  readonly line: string
}

/** What one address of an exchanger did. */
export interface AddressReport {
  readonly ip: string
  readonly port: number
  /** What this address alone says of the target. */
  readonly verdict: Verdict
  /** As they happened; after a broken handshake those of a second connection, in clear, follow. */
  readonly stages: readonly StageReport[]
  /** The target that the session was opened for, and whose stages before MAIL these are; `null`: this one. */
  readonly openedFor: string | null
  /** Keywords of the latest EHLO, and STARTTLS where it was offered. */
  readonly extensions: readonly string[]
  /** `null` in clear. */
  readonly tls: ProbeTls | null
  /** The reply to RCPT; `null` when it was not asked or not answered. */
  readonly recipient: ReplyReport | null
  /** The reply about a mailbox made up at random; `null` unless asked. */
  readonly catchAll: { readonly address: string; readonly reply: ReplyReport } | null
  /** The reply to VRFY; `null` unless asked. */
  readonly vrfy: ReplyReport | null
  /** `null` unless asked. */
  readonly transcript: readonly TranscriptLine[] | null
}

/** What one exchanger did. */
export interface ExchangerReport {
  /** Host name, or an address literal. */
  readonly host: string
  readonly preference: number
  /** Why it has no addresses to dial; `null` when it has. */
  readonly error: string | null
  /** In the order asked; with `first` none behind the one that decided. */
  readonly addresses: readonly AddressReport[]
}

/** What DNS says of a domain's exchangers. */
export interface RecordsReport {
  readonly mx: readonly { readonly host: string; readonly preference: number }[]
  /** No MX record: the domain is its own exchanger (RFC 5321 §5.1). */
  readonly implicit: boolean
  /** It accepts no mail (RFC 7505). */
  readonly nullMx: boolean
}

/** What became of one target. */
export interface ProbeReport {
  /** As it was given. */
  readonly target: string
  /** Lower-case A-labels, or an address literal. */
  readonly domain: string
  /** What would become of a message: the first exchanger with a final answer decides. */
  readonly verdict: Verdict
  /** RFC 3463; its class is 5 for what will be no better tomorrow. */
  readonly status: string
  /** The decisive reply on one line, or our own words where no server spoke. */
  readonly reason: string
  /** One sentence on what it means. */
  readonly meaning: string
  /** When a greylisting server may be asked again; `null` for every other verdict. */
  readonly retryAfterSeconds: number | null
  /** The stage after which the probe ended because it was told to, all before it well; then the verdict is `unknown`. */
  readonly stoppedAfter: ProbeStage | null
  /** Whose answer the verdict is; `null` where no server was reached for. */
  readonly decidedBy: { readonly exchanger: string; readonly ip: string; readonly port: number } | null
  readonly records: RecordsReport
  /** Best first. */
  readonly exchangers: readonly ExchangerReport[]
}
