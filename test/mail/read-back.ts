/** Reads messages with a parser that shares no code with ours. */
import PostalMime, { type Email } from 'postal-mime'

/** What a reader gets out of a message: texts, and the octets of attachments. */
export interface ReadBack {
  readonly subject: string | undefined
  readonly text: string | undefined
  readonly html: string | undefined
  readonly attachments: readonly { name: string | null; type: string; octets: string }[]
}

export async function readBack(content: Uint8Array): Promise<ReadBack> {
  const { subject, text, html, attachments } = await parse(content)
  return {
    subject,
    text,
    html,
    attachments: attachments.map(({ filename, mimeType, content }) => ({
      name: filename,
      type: mimeType,
      octets: octetsOf(content).toString('latin1'),
    })),
  }
}

export function parse(content: Uint8Array): Promise<Email> {
  return PostalMime.parse(Uint8Array.from(content), { maxNestingDepth: 1000 })
}

function octetsOf(content: ArrayBuffer | Uint8Array | string): Buffer {
  if (typeof content === 'string') return Buffer.from(content)
  return content instanceof Uint8Array ? Buffer.from(content) : Buffer.from(content)
}

/** The header section, field by field as it stands on the wire, unfolded. */
export function wireFields(content: Uint8Array): readonly string[] {
  const [head = ''] = Buffer.from(content).toString('latin1').split('\r\n\r\n', 1)
  return head.replace(/\r\n(?=[ \t])/g, '').split('\r\n')
}

/** Says where octets are not fit for the wire: CRLF only, at most 998 octets a line, no NUL. */
export function wireProblem(content: Uint8Array): string | null {
  const text = Buffer.from(content).toString('latin1')
  if (!text.endsWith('\r\n')) return 'the last line has no CRLF'
  if (text.includes('\0')) return 'a NUL'
  if (/[\r\n]/.test(text.replaceAll('\r\n', ''))) return 'a bare CR or LF'
  return text.split('\r\n').some((line) => line.length > 998) ? 'a line over 998 octets' : null
}
