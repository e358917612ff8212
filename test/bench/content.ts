/**
 * The message that every contender sends, made from its size alone: so the sink can know it without being sent it.
 * One rule: exactly the octets asked for, in wire form, with lines that need dot-stuffing.
 */

const header = [
  'Message-ID: <bench@sender.test>',
  'Date: Sat, 21 Nov 2026 07:00:00 +0000',
  'From: Alice <alice@sender.test>',
  'To: Bob <bob@example.test>',
  'Subject: A message of a known size',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=us-ascii',
  '',
  '',
].join('\r\n')

const textLine = 'The quick brown fox jumps over the lazy dog, and the dog lets it pass by.\r\n'
const dottedLine = `.${textLine}`
/** A dot in one line of twenty: more than mail has, and little enough not to become the subject. */
const linesPerDot = 20

/** The reverse-path of every message. */
export const reversePath = { localPart: 'alice', domain: 'sender.test' }
/** The domain of every recipient. */
export const recipientDomain = 'example.test'

/** @param octets at least 512 */
export function makeContent(octets: number): Buffer {
  const block = dottedLine + textLine.repeat(linesPerDot - 1)
  const body = block.repeat(Math.ceil(octets / block.length)).slice(0, octets - header.length - 2)
  // A cut may leave a lone CR at the end.
  return Buffer.from(`${header}${body.replace(/\r$/, 'x')}\r\n`, 'latin1')
}

/** The content as DATA carries it: one more dot before each line that begins with one (RFC 5321 §4.5.2). */
export function stuff(content: Buffer): Buffer {
  return Buffer.from(content.toString('latin1').replace(/^\./gm, '..'), 'latin1')
}
