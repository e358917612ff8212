/**
 * A message as it goes over the wire: CRLF line ends, no line over 998 octets, no NUL, no Bcc field.
 * It can be opened again for every attempt and is never copied per recipient.
 */
import { isAscii } from 'node:buffer'
import { firstFieldText, parseHeader } from './message-header.ts'
import { splitParts } from './message-parts.ts'

/** An SMTP extension without which the message cannot be sent as it is. */
export type Requirement = '8BITMIME' | 'SMTPUTF8'

/** A finished message: immutable, in wire form except for dot-stuffing. */
export interface Message {
  /** The Message-ID field's value with its angle brackets. */
  readonly messageId: string
  /** Octets `open()` yields, line ends counted as CRLF: what SIZE= announces (RFC 1870 §5). */
  readonly size: number
  readonly requires: ReadonlySet<Requirement>
  /** The whole content, where it is held in memory; lets a small message leave in one write. */
  readonly content?: Uint8Array
  /** The content from its first octet; may be called any number of times, also at once. */
  open(): AsyncIterable<Uint8Array>
}

/**
 * The message with more fields before its first; what was in memory is again.
 * @param fields whole fields, ASCII, each with its CRLF
 */
export function prependFields(message: Message, fields: string): Message {
  const top = Buffer.from(fields, 'latin1')
  const { messageId, requires, content } = message
  const common = { messageId, size: top.length + message.size, requires }
  if (content === undefined) return { ...common, open: () => oneAfterTheOther(top, message) }
  const whole = Buffer.concat([top, content])
  return { ...common, content: whole, open: () => chunksOf(whole) }
}

async function* oneAfterTheOther(
  top: Uint8Array,
  message: Message,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield top
  yield* message.open()
}

/** As much as is written to a socket at once elsewhere in Node. */
const chunkOctets = 64 * 1024

/**
 * A message held in memory. The octets are not copied and must not change afterwards.
 * @param content in wire form: see the head of this file
 * @throws {MessageError} when it does not begin with a header section
 */
export function messageFromBytes(content: Uint8Array): Message & { readonly content: Uint8Array } {
  const { fields } = parseHeader(content)
  return {
    messageId: firstFieldText(content, fields, 'message-id') ?? '',
    size: content.length,
    requires: requirementsOf(content),
    content,
    open: () => chunksOf(content),
  }
}

async function* chunksOf(content: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < content.length; at += chunkOctets) yield content.subarray(at, at + chunkOctets)
}

/**
 * RFC 6531 §3.6 counts header fields, those of MIME parts included, and RFC 6152 §3 the rest. The header of a message
 * within the message is content of the outer one: that old mail is forwarded must not make it undeliverable.
 */
function requirementsOf(content: Uint8Array): ReadonlySet<Requirement> {
  const requires = new Set<Requirement>()
  if (isAscii(content)) return requires
  for (const segment of splitParts(content)) {
    if (isAscii(content.subarray(segment.start, segment.end))) continue
    const isField = segment.kind === 'header' && !segment.part.isNested
    requires.add(isField ? 'SMTPUTF8' : '8BITMIME')
  }
  return requires
}
