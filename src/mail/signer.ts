/** Who signs messages. One rule: whoever changes a message, or makes one, asks for a signature afterwards. */
import type { Message } from './message.ts'

/** Signs; `dkim/signer.ts` makes one. */
export interface Signer {
  /**
   * The message with the signatures it is to have; the same one where it is to have none. For one message, and for what
   * came of it, the answer is always the same.
   */
  sign(message: Message): Promise<Message>
  /** The octets of a message without signatures of ours, which a change of it would break. */
  withoutOwn(message: Message): Promise<Uint8Array>
}
