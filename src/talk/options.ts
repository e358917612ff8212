/** How a dialogue is led, and who is told of it. */
import type { TlsClient } from '../client/tls.ts'
import type { Target } from '../route/targets.ts'
import type { Clock } from '../time/clock.ts'
import type { TalkEvent } from './events.ts'

/** How a dialogue is led. */
export interface TalkOptions {
  readonly target: Target
  readonly tlsClient: TlsClient
  /** For each reply, and for the handshake. */
  readonly timeoutMs: number
  /** A script: what is not as expected, said or not, ends it. A person judges for himself. */
  readonly isStrict: boolean
  /**
   * Send content as it is. Otherwise the dots that begin its lines are doubled (RFC 5321 §4.5.2), and the line ends of files
   * become CRLF. Default `false`.
   */
  readonly isRaw?: boolean
  readonly onEvent: (event: TalkEvent) => void
  /** The content that `:data` and `:bdat` name. */
  readonly readFile: (file: string) => Promise<Uint8Array>
  /** The name that `:ehlo` gives. */
  readonly ownName: () => Promise<string>
  readonly clock?: Clock
}

/** What the next line is for. */
export type TalkMode = 'command' | 'content' | 'auth'
