/** Why there is no session at a target. One rule: never the last word on a recipient, the next target is asked. */
import { SmtpError } from '../smtp/errors.ts'
import { formatReply, type Reply } from '../smtp/reply.ts'

/** Stages before a transaction, where a host can turn a session away. */
export type OpeningStage = 'greeting' | 'ehlo' | 'starttls' | 'auth'

/** No session: what stopped it (`reply` or `cause`), and where. */
export class SessionOpenError extends SmtpError {
  override readonly name = 'SessionOpenError'
  readonly code = 'ERR_SMTP_SESSION'
  readonly stage: OpeningStage
  /** The peer's refusal, where it gave one. */
  readonly reply: Reply | null
  /** It broke between the 220 to STARTTLS and the first reply under TLS: in clear it might work. */
  readonly isTlsBroken: boolean

  constructor(
    stage: OpeningStage,
    reason: { readonly reply: Reply } | { readonly cause: Error; readonly isTlsBroken?: boolean },
  ) {
    super(
      'reply' in reason ? formatReply(reason.reply) : reason.cause.message,
      'cause' in reason ? { cause: reason.cause } : {},
    )
    this.stage = stage
    this.reply = 'reply' in reason ? reason.reply : null
    this.isTlsBroken = 'cause' in reason && reason.isTlsBroken === true
  }
}
