/**
 * Does this peer's set of extensions suffice for this message and recipient? One rule: what the peer does not offer is
 * not sent to it; the message is converted for it, or it is passed over.
 */
import type { Session } from '../client/session.ts'
import { type Address, needsSmtpUtf8 } from '../mail/address.ts'
import type { Message } from '../mail/message.ts'
import { MessageError } from '../mail/message-error.ts'
import { toSevenBit } from '../mail/seven-bit.ts'
import type { Signer } from '../mail/signer.ts'
import type { EnhancedStatus } from '../smtp/enhanced-status.ts'
import type { Cause } from './outcome.ts'

/** What to send, or why nothing can be sent to this peer. */
export type Suitability =
  | { readonly kind: 'suits'; readonly message: Message; readonly smtpUtf8: boolean }
  | { readonly kind: 'unsuitable'; readonly cause: Cause }

/** The paths of a transaction. */
export interface Paths {
  readonly reversePath: Address | null
  readonly forwardPath: Address
}

/** Fits the message to the session's peer. @param signer signs again what had to be converted */
export async function fitFor(
  session: Pick<Session, 'extensions'>,
  message: Message,
  paths: Paths,
  signer: Signer | null = null,
): Promise<Suitability> {
  const { extensions } = session
  const smtpUtf8 =
    message.requires.has('SMTPUTF8') ||
    needsSmtpUtf8(paths.forwardPath) ||
    (paths.reversePath !== null && needsSmtpUtf8(paths.reversePath))
  // RFC 6531 §3.2: nothing internationalized goes to a server that does not offer it.
  if (smtpUtf8 && !extensions.smtpUtf8) return unsuitable('5.6.7', 'the message or an address needs SMTPUTF8')
  let fitted = message
  if (message.requires.has('8BITMIME') && !extensions.eightBitMime) {
    // RFC 6152 §3: converted, or returned as undeliverable.
    try {
      fitted = await toSevenBit(message, signer)
    } catch (error) {
      return unconverted(error as Error)
    }
  }
  const limit = extensions.sizeLimitOctets
  // RFC 1870 §7: a message over the fixed maximum is not offered.
  if (limit !== null && fitted.size > limit) {
    return unsuitable('5.3.4', `the message has ${fitted.size} octets, the server takes ${limit}`)
  }
  return { kind: 'suits', message: fitted, smtpUtf8 }
}

/** Only what the message itself forbids is final; a disk or a signer that fails us may do its work next time. */
function unconverted(error: Error): Suitability {
  return error instanceof MessageError
    ? unsuitable('5.6.3', `8-bit content needs 8BITMIME and cannot be converted: ${error.message}`)
    : unsuitable('4.3.0', `8-bit content needs 8BITMIME and was not converted: ${error.message}`)
}

function unsuitable(status: EnhancedStatus, text: string): Suitability {
  return { kind: 'unsuitable', cause: { stage: 'policy', status, error: new UnsuitableError(text) } }
}

/** The peer's extensions do not suffice. */
export class UnsuitableError extends Error {
  override readonly name = 'UnsuitableError'
  readonly code = 'ERR_UNSUITABLE'
}
