/**
 * One address is asked in one session, about the mailbox that it is opened for and about those that wait behind it, as a
 * delivery would use it: MAIL, RCPT and RSET for each, QUIT behind the last.
 *
 * One rule: a session is shared only while its answers are final ones about the mailbox. Any other answer to a mailbox that
 * came later might be about those before it, so it counts for nothing: that mailbox is asked about again, in a new session.
 */
import type { Trace } from '../client/dialogue.ts'
import { leave } from '../client/inquiry.ts'
import type { Session } from '../client/session.ts'
import type { Cause } from '../delivery/outcome.ts'
import { type AddressEnd, type AddressInquiry, causeOfError, endsAfter, reasonOf } from './inquiry.ts'
import { askMailbox } from './mailbox-inquiry.ts'
import { openFor } from './opening.ts'
import { ProbeRecord } from './record.ts'
import { whenOverdue } from './stopping.ts'
import type { ProbeSurroundings } from './surroundings.ts'
import { rule } from './verdict.ts'

/** An inquiry, and who waits for its end. */
export interface Waiting {
  readonly inquiry: AddressInquiry
  /** The answer in a shared session, which did not count; `null`: not asked yet. */
  readonly discounted: string | null
  resolve(end: AddressEnd): void
}

/**
 * Refusals in one session. Servers count them as errors: Postfix answers slower from the tenth on and hangs up at the
 * twentieth (smtpd_soft_error_limit, smtpd_hard_error_limit).
 */
const MOST_REFUSALS = 8

/** Asks about the first, and then about whom `next` gives. Never rejects. @returns whom to ask about again, in a new session */
export function probeAddress(
  first: Waiting,
  next: () => Waiting | undefined,
  around: ProbeSurroundings,
): Promise<Waiting | undefined> {
  return new AddressProbe(first, next, around).run()
}

let sessions = 0

class AddressProbe {
  readonly #next: () => Waiting | undefined
  readonly #around: ProbeSurroundings
  readonly #id = `${++sessions}`
  readonly #first: AddressInquiry
  #current: Waiting
  #record: ProbeRecord
  #asked = 0
  #refusals = 0

  constructor(first: Waiting, next: () => Waiting | undefined, around: ProbeSurroundings) {
    this.#first = first.inquiry
    this.#current = first
    this.#next = next
    this.#around = around
    this.#record = new ProbeRecord(around.settings)
    if (first.discounted !== null) {
      this.#record.said(
        'client',
        `[asked in a shared session before: ${first.discounted}; that does not count]`,
      )
    }
  }

  async run(): Promise<Waiting | undefined> {
    const writing = { record: this.#record, trace: this.#traced() }
    const { stopping } = this.#first
    try {
      const session = await openFor(this.#first, writing, this.#around)
      if (session !== null) {
        using _ = whenOverdue(stopping, () => leave(session))
        return await this.#askAll(session)
      }
      this.#end(null)
    } catch (error) {
      this.#end(causeOfError(error as Error, 'mail', stopping))
    }
    return undefined
  }

  async #askAll(session: Session): Promise<Waiting | undefined> {
    if (endsAfter('starttls', this.#around.settings)) return this.#quit(session, null)
    const opening = this.#record.copy()
    for (;;) {
      const { inquiry } = this.#current
      const cause = await askMailbox(session, { inquiry, record: this.#record, around: this.#around })
      this.#asked++
      const isFinal = cause !== null && isFinalAboutMailbox(cause)
      if (this.#asked > 1 && !isFinal && !inquiry.stopping.signal.aborted) {
        await session.quit()
        return { ...this.#current, discounted: cause === null ? '' : reasonOf(cause) }
      }
      const following = isFinal && this.#mayGoOn(session) ? this.#next() : undefined
      if (following === undefined) return this.#quit(session, cause)
      this.#end(cause)
      this.#current = following
      this.#record = opening.copy()
      this.#record.joins(this.#first.about.text.trim())
    }
  }

  #mayGoOn(session: Session): boolean {
    const { recipient, catchAll } = this.#record
    for (const code of [recipient?.code ?? 0, catchAll?.reply.code ?? 0]) if (code >= 400) this.#refusals++
    const { signal } = this.#first.stopping
    if (signal.aborted || !session.isUsable || session.needsReset) return false
    return this.#asked < this.#around.settings.perSession && this.#refusals < MOST_REFUSALS
  }

  /** The report is whole when QUIT was said. */
  async #quit(session: Session, cause: Cause | null): Promise<undefined> {
    await session.quit()
    this.#end(cause)
  }

  #end(cause: Cause | null): void {
    this.#current.resolve({ record: this.#record, cause })
  }

  #traced(): Trace | null {
    const { trace, clock, settings } = this.#around
    if (trace === null && !settings.transcript) return null
    const { exchanger, ip } = this.#first.target
    const target = `${exchanger.host} [${ip}]:${exchanger.port}`
    return (direction, text) => {
      this.#record.said(direction, text)
      trace?.({ at: clock.now(), session: this.#id, target, direction, text })
    }
  }
}

/** 4xx and words about us are about the session as likely as about the mailbox; no room in it is the mailbox's own. */
function isFinalAboutMailbox(cause: Cause): boolean {
  const { verdict } = rule(cause)
  return cause.stage === 'rcpt' && (verdict === 'accepts' || verdict === 'rejects' || verdict === 'full')
}
