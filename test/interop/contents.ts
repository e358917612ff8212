/** The messages that are delivered to every server: each is hard on something between the socket and the mailbox. */

/** A message and what is special about it; `name` is also the local part of its mailbox. */
export interface Content {
  readonly name: string
  readonly title: string
  /** As given to mxpress: CRLF line ends. */
  readonly octets: Buffer
}

/** The first field of every message here: everything before it in a mailbox is the server's trace. */
export const firstField = 'X-First-Field: of the message'

/** A message with this header (fields without their line ends) and this body. */
export function message(fields: readonly string[], body: Buffer | string): Buffer {
  const header = [firstField, ...usualFields, ...fields].map((field) => `${field}\r\n`).join('')
  return Buffer.concat([Buffer.from(`${header}\r\n`), Buffer.from(body)])
}

const usualFields = [
  'From: Alice <alice@sender.test>',
  'To: undisclosed-recipients:;',
  'Date: Sat, 21 Nov 2026 07:00:00 +0000',
  'Message-ID: <interop@sender.test>',
  'Subject: interop',
  'MIME-Version: 1.0',
]

const ascii = ['Content-Type: text/plain; charset=us-ascii']
const eightBit = ['Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: 8bit']

const longest = 998 // RFC 5321 §4.5.3.1.6: 1000 octets with CRLF

/** Every octet that a line of text may hold: all but NUL, CR and LF. */
const everyOctet = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)).filter(
  (octet) => octet !== 0 && octet !== 0x0d && octet !== 0x0a,
)

export const contents: readonly Content[] = [
  { name: 'plain', title: 'a line of text', octets: message(ascii, 'Hello\r\n') },
  { name: 'empty', title: 'an empty body', octets: message(ascii, '') },
  { name: 'no-line-end', title: 'a body without a line end', octets: message(ascii, 'first\r\nlast') },
  { name: 'blank-lines', title: 'a body of blank lines', octets: message(ascii, '\r\n\r\n\r\n') },
  {
    name: 'dots',
    title: 'lines that begin with dots (RFC 5321 §4.5.2)',
    octets: message(ascii, '.\r\n..\r\n...\r\n.dot\r\n. \r\ntext.\r\n\r\n.\r\n.\r\n'),
  },
  {
    name: 'smuggling',
    title: 'a second transaction in the text',
    octets: message(
      ascii,
      'text\r\n.\r\nMAIL FROM:<eve@sender.test>\r\nRCPT TO:<plain>\r\nDATA\r\n.\r\nQUIT\r\n',
    ),
  },
  {
    name: 'long-lines',
    title: 'lines of 998 octets, with and without a dot in front',
    octets: message(ascii, `${'x'.repeat(longest)}\r\n.${'y'.repeat(longest - 1)}\r\n${'z'.repeat(longest)}`),
  },
  {
    name: 'eight-bit',
    title: 'every octet but NUL, CR and LF',
    octets: message(
      eightBit,
      Buffer.concat([everyOctet, Buffer.from('\r\n'), everyOctet, Buffer.from('\r\n')]),
    ),
  },
  {
    name: 'white-space',
    title: 'blanks and tabs at line ends, and From at a line start',
    octets: message(ascii, ' \r\n\t\r\ntext \t \r\nFrom here on\r\n>From there on\r\n-- \r\n'),
  },
  {
    name: 'folded',
    title: 'a folded field and one of 998 octets',
    octets: message(
      [`X-Long: ${'l'.repeat(longest - 8)}`, 'X-Folded: one\r\n two\r\n\tthree', ...ascii],
      'text\r\n',
    ),
  },
  // Larger than one chunk and than a socket's buffers; dots fall on every offset of a chunk's edge.
  {
    name: 'large',
    title: 'a megabyte of short lines',
    octets: message(ascii, '.\r\nab\r\n..c\r\n'.repeat(80_000)),
  },
]
