/**
 * A session with one target, from its opening (`opening.ts`) to QUIT (RFC 5321 §3.1).
 *
 * One rule: a session that has seen a protocol error, a time-out or 421 is dropped, never reset.
 */

import type { Timeouts } from '../config/timeouts.ts'
import type { Address } from '../mail/address.ts'
import type { Message } from '../mail/message.ts'
import type { Target } from '../route/targets.ts'
import type { Extensions } from '../smtp/extensions.ts'
import type { Connection } from './connection.ts'
import { say } from './say.ts'
import type { TlsState } from './tls.ts'

/** A MAIL command, and what it was made of. */
export interface MailLine {
  readonly message: Message
  readonly reversePath: Address | null
  readonly smtpUtf8: boolean
  readonly line: string
}

/** An open session. Owns its connection; end it with `quit` or `drop`. */
export class Session {
  readonly target: Target
  readonly connection: Connection
  readonly timeouts: Timeouts
  readonly extensions: Extensions
  /** `null` in clear. */
  readonly tls: TlsState | null
  /** Transactions begun in this session. */
  transactions = 0
  /** Milliseconds on the monotonic clock when the last transaction ended, or the session was opened. */
  usedAt = performance.now()
  /** The content of the running transaction is out: ending the session now would leave its fate unknown. */
  isPastFinalDot = false
  /** The MAIL command of the last message, for its next recipient. */
  mailLine: MailLine | null = null
  /** Recipients that the peer takes in one transaction (RFC 9422 §4.2, or as it has shown); `null`: not known. */
  mostRecipients: number | null
  /** The last transaction was left open or refused: the next one begins with RSET (RFC 5321 §4.1.1.5). */
  needsReset = false
  #isOver = false

  constructor(
    target: Target,
    connection: Connection,
    established: {
      readonly timeouts: Timeouts
      readonly extensions: Extensions
      readonly tls: TlsState | null
    },
  ) {
    this.target = target
    this.connection = connection
    this.timeouts = established.timeouts
    this.extensions = established.extensions
    this.mostRecipients = established.extensions.rcptMax
    this.tls = established.tls
  }

  /** Our address in this session; `null` when unknown. */
  get localAddress(): string | null {
    return this.connection.localAddress
  }

  /** Whether another transaction may begin: connection sound, nothing said unasked (a 421 would be), not over. */
  get isUsable(): boolean {
    return !this.#isOver && this.connection.failure === null && !this.connection.hasUnasked
  }

  /** The peer has announced the end (421), or the session is no longer to be trusted. */
  retire(): void {
    this.#isOver = true
  }

  /** Ends the session in good order and waits for the answer, whatever it is (RFC 5321 §4.1.1.10). Never throws. */
  async quit(): Promise<void> {
    if (!this.isUsable) return this.drop()
    this.#isOver = true
    say(this.connection, 'QUIT\r\n')
    // RFC 5321 §4.1.1.10: nothing depends on the answer; a transaction that was completed stays so.
    await this.connection.readReply('QUIT', this.timeouts.quitMs).catch(() => {})
    await this.connection.end()
  }

  /** Ends the session without a word. */
  drop(reason: Error = new Error('the session was dropped')): void {
    this.#isOver = true
    this.connection.destroy(reason)
  }
}
