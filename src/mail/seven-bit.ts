/**
 * An 8-bit message for a server without 8BITMIME (RFC 6152 §3: convert, or fail the recipient).
 * One rule: what decodes stays the same; text becomes quoted-printable, everything else base64.
 */
import type { Message } from './message.ts'
import { messageFromBytes } from './message.ts'
import { rewriteMessage } from './message-rewrite.ts'

/** One conversion per message, however many recipients and attempts ask for it; forgotten with the message. */
const conversions = new WeakMap<Message, Promise<Message>>()

/**
 * The same message with no octet over 127; the message itself when it has none. The result is held in memory.
 * Multiparts and messages within it are converted leaf by leaf. A DKIM signature over the body does not survive.
 * @throws {MessageError} when that cannot be done: UTF-8 in header fields, multipart/signed, message/partial
 */
export function toSevenBit(message: Message): Promise<Message> {
  if (message.requires.size === 0) return Promise.resolve(message)
  const known = conversions.get(message)
  if (known) return known
  const conversion = convert(message)
  conversions.set(message, conversion)
  return conversion
}

async function convert(message: Message): Promise<Message> {
  return messageFromBytes(rewriteMessage(await contentOf(message), { sevenBit: true }))
}

async function contentOf(message: Message): Promise<Uint8Array> {
  if (message.content) return message.content
  const chunks: Uint8Array[] = []
  for await (const chunk of message.open()) chunks.push(chunk)
  return Buffer.concat(chunks)
}
