/**
 * An 8-bit message for a server without 8BITMIME (RFC 6152 §3: convert, or fail the recipient).
 * One rule: what decodes stays the same; text becomes quoted-printable, everything else base64.
 */
import { type Message, messageFromBytes } from './message.ts'
import { MessageError } from './message-error.ts'
import { rewriteMessage } from './message-rewrite.ts'
import type { Signer } from './signer.ts'

/** One conversion per message, however many recipients and attempts ask for it; forgotten with the message. */
const conversions = new WeakMap<Message, Promise<Message>>()

/**
 * The same message with no octet over 127; the message itself when it has none. The result is held in memory.
 * Multiparts and messages within it are converted leaf by leaf. Signatures of ours are made anew; those of others over the
 * body do not survive.
 * @throws {MessageError} when that cannot be done: UTF-8 in header fields, multipart/signed, message/partial
 */
export function toSevenBit(message: Message, signer: Signer | null = null): Promise<Message> {
  if (message.requires.size === 0) return Promise.resolve(message)
  const known = conversions.get(message)
  if (known) return known
  const conversion = convert(message, signer)
  conversions.set(message, conversion)
  // What the message forbids stays forbidden; anything else is worth another try.
  conversion.catch((error: unknown) => {
    if (!(error instanceof MessageError)) conversions.delete(message)
  })
  return conversion
}

async function convert(message: Message, signer: Signer | null): Promise<Message> {
  const content = signer === null ? await contentOf(message) : await signer.withoutOwn(message)
  const converted = messageFromBytes(rewriteMessage(content, { sevenBit: true }))
  return signer === null ? converted : await signer.sign(converted)
}

async function contentOf(message: Message): Promise<Uint8Array> {
  if (message.content) return message.content
  const chunks: Uint8Array[] = []
  for await (const chunk of message.open()) chunks.push(chunk)
  return Buffer.concat(chunks)
}
