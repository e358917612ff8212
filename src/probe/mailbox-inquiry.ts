/**
 * One mailbox is asked about in an open session: MAIL and RCPT, a command at a time, so that each has its own reply and time,
 * then RSET. Never DATA.
 *
 * One rule: it ends with a cause, never an exception.
 */
import { ask } from '../client/inquiry.ts'
import type { Session } from '../client/session.ts'
import { statusOf } from '../delivery/classify.ts'
import type { Cause } from '../delivery/outcome.ts'
import { formatAddress, needsSmtpUtf8 } from '../mail/address.ts'
import { mailCommand, rcptCommand, vrfyCommand } from '../smtp/command.ts'
import { LocalProtocolError } from '../smtp/errors.ts'
import { isPositive, type Reply } from '../smtp/reply.ts'
import { type AddressInquiry, causeOfError, endsAfter } from './inquiry.ts'
import { type ProbeRecord, replyReport } from './record.ts'
import type { ProbeSurroundings } from './surroundings.ts'
import { inventMailbox } from './target.ts'

/** What is asked, by whom, and where it is written down. */
export interface MailboxInquiry {
  readonly inquiry: AddressInquiry
  readonly record: ProbeRecord
  readonly around: ProbeSurroundings
}

/** Asks. Never rejects; `null`: it went as far as it was told to. */
export function askMailbox(session: Session, what: MailboxInquiry): Promise<Cause | null> {
  return new Asking(session, what).run()
}

class Asking {
  readonly #session: Session
  readonly #inquiry: AddressInquiry
  readonly #record: ProbeRecord
  readonly #around: ProbeSurroundings
  #stage: 'mail' | 'rcpt' = 'mail'

  constructor(session: Session, { inquiry, record, around }: MailboxInquiry) {
    this.#session = session
    this.#inquiry = inquiry
    this.#record = record
    this.#around = around
  }

  run(): Promise<Cause | null> {
    return this.#ask().catch((error: Error) => causeOfError(error, this.#stage, this.#inquiry.stopping))
  }

  async #ask(): Promise<Cause | null> {
    const { settings } = this.#around
    const { mailbox } = this.#inquiry.about
    const { reversePath } = settings
    const smtpUtf8 = needsSmtpUtf8(mailbox) || (reversePath !== null && needsSmtpUtf8(reversePath))
    // RFC 6531 §3.2: nothing internationalized goes to a server that does not offer it.
    if (smtpUtf8 && !this.#session.extensions.smtpUtf8) {
      const error = new LocalProtocolError('the address needs SMTPUTF8, and the server does not offer it')
      return { stage: 'policy', status: '5.6.7', error }
    }
    const mail = await this.#say('mail', mailCommand(reversePath, { smtpUtf8 }))
    if (!isPositive(mail)) return causeOf('mail', mail)
    if (endsAfter('mail', settings)) {
      await this.#reset()
      return null
    }
    const rcpt = await this.#say('rcpt', rcptCommand(mailbox, { smtpUtf8 }))
    this.#record.recipient = replyReport(rcpt)
    await this.#further(rcpt, smtpUtf8)
    return causeOf('rcpt', rcpt)
  }

  /** What is asked beside; whatever comes of it, the answer about the mailbox stands. */
  async #further(rcpt: Reply, smtpUtf8: boolean): Promise<void> {
    const { settings, random } = this.#around
    const { about } = this.#inquiry
    const session = this.#session
    const { rcptMs } = session.timeouts
    try {
      this.#expectGoingOn()
      if (settings.catchAll && isPositive(rcpt) && session.isUsable) {
        const invented = inventMailbox(about, random)
        const reply = await ask(session, rcptCommand(invented), rcptMs)
        this.#record.catchAll = { address: formatAddress(invented), reply: replyReport(reply) }
      }
      await this.#reset()
      this.#expectGoingOn()
      if (settings.vrfy && session.isUsable) {
        const reply = await ask(session, vrfyCommand(about.mailbox, { smtpUtf8 }), rcptMs)
        this.#record.vrfy = replyReport(reply)
      }
    } catch {
      // The session is over and its connection knows why, or the run is: `quit` does the rest.
    }
  }

  /** RFC 5321 §4.1.1.5: nothing of the transaction is left behind. */
  async #reset(): Promise<void> {
    const session = this.#session
    if (!session.isUsable) return
    const reply = await ask(session, 'RSET\r\n', session.timeouts.mailMs)
    session.needsReset = !isPositive(reply)
  }

  async #say(stage: 'mail' | 'rcpt', command: string): Promise<Reply> {
    this.#expectGoingOn()
    this.#stage = stage
    this.#session.needsReset = true
    const begun = performance.now()
    const durationMs = (): number => performance.now() - begun
    try {
      const { mailMs, rcptMs } = this.#session.timeouts
      const reply = await ask(this.#session, command, stage === 'mail' ? mailMs : rcptMs)
      this.#record.add(stage, { reply, error: null, durationMs: durationMs() })
      return reply
    } catch (error) {
      this.#record.add(stage, { reply: null, error: error as Error, durationMs: durationMs() })
      throw error
    }
  }

  /** What was asked before is answered; nothing more is asked. */
  #expectGoingOn(): void {
    this.#inquiry.stopping.signal.throwIfAborted()
  }
}

function causeOf(stage: 'mail' | 'rcpt', reply: Reply): Cause {
  return { stage, status: statusOf(reply), reply }
}
