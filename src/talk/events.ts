/** What happens in a dialogue, for whoever shows it. Text of the peer is as it came: escape it before showing. */
import type { PeerLine } from '../client/line-connection.ts'
import type { TlsState } from '../client/tls.ts'
import type { HeardReply } from './heard-reply.ts'

/** One thing that happened; `at` is milliseconds since the epoch. */
export type TalkEvent = { readonly at: number } & (
  | { readonly kind: 'connected'; readonly durationMs: number }
  /** Ours; without passwords. */
  | { readonly kind: 'said'; readonly text: string }
  /** Ours, and not worth showing as a whole. */
  | { readonly kind: 'sent'; readonly what: string; readonly octets: number }
  | {
      readonly kind: 'heard'
      readonly line: PeerLine
      /** What it answers: `EHLO`, `greeting`, `content`; `null`: nothing. */
      readonly command: string | null
      /** The reply that it completes, and the time since the command. */
      readonly reply: HeardReply | null
      readonly durationMs: number | null
    }
  | { readonly kind: 'encrypted'; readonly tls: TlsState; readonly discardedOctets: number }
  /** Something that a person should know. */
  | { readonly kind: 'noted'; readonly text: string }
  /** `null`: in order, or by us. */
  | { readonly kind: 'ended'; readonly reason: string | null }
)

/** An event without its time. */
export type Happening = TalkEvent extends infer One
  ? One extends TalkEvent
    ? Omit<One, 'at'>
    : never
  : never
