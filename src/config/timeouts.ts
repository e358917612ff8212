/**
 * How long each step of a dialogue may take, in milliseconds. One rule: a limit is absolute for its step, from the
 * moment the peer has to act to its whole answer, so that a peer that drips an octet a second is cut off on time.
 */
import type { TimeoutOptions } from './options.ts'

/** `TimeoutOptions`, complete: the time limits of one session; the options tell the defaults and where they come from. */
export interface Timeouts {
  /** From the first SYN to an open connection, for each address dialled. */
  readonly connectMs: number
  /** The whole greeting (RFC 5321 §4.5.3.2.1). */
  readonly greetingMs: number
  /** The whole reply to EHLO or HELO, and to each step of AUTH. The RFC names none; five minutes is what it gives to MAIL. */
  readonly ehloMs: number
  /** The reply to STARTTLS, and again the handshake. */
  readonly startTlsMs: number
  /** RFC 5321 §4.5.3.2.2. */
  readonly mailMs: number
  /** RFC 5321 §4.5.3.2.3. */
  readonly rcptMs: number
  /** The 354 to DATA (RFC 5321 §4.5.3.2.4). */
  readonly dataInitiationMs: number
  /** Each block of content until the connection takes more (RFC 5321 §4.5.3.2.5). */
  readonly dataBlockMs: number
  /** The verdict after the final dot or the last chunk (RFC 5321 §4.5.3.2.6). */
  readonly dataTerminationMs: number
  /** The reply to QUIT; the outcome does not depend on it (RFC 5321 §4.1.1.10). */
  readonly quitMs: number
}

/** The limits as they come out of the schema, by the names that tell their unit. */
export function timeoutsInMs(limits: Readonly<Record<keyof TimeoutOptions, number>>): Timeouts {
  return {
    connectMs: limits.connect,
    greetingMs: limits.greeting,
    ehloMs: limits.ehlo,
    startTlsMs: limits.starttls,
    mailMs: limits.mail,
    rcptMs: limits.rcpt,
    dataInitiationMs: limits.dataInitiation,
    dataBlockMs: limits.dataBlock,
    dataTerminationMs: limits.dataTermination,
    quitMs: limits.quit,
  }
}
