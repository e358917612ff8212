/**
 * Attachments, read and checked before anything is sent.
 * One rule: only files that `path` names are read, here and nowhere else; nothing is ever fetched.
 */
import { isAscii } from 'node:buffer'
import { basename } from 'node:path'
import { detectMimeType } from 'nodemailer/lib/mime-funcs'
import { readBounded, TooLargeError } from '../files/read-bounded.ts'
import { printable } from './address-error.ts'
import { checkFieldText } from './compose-checks.ts'
import type { Attachment } from './mail.ts'
import { MessageError } from './message-error.ts'
import { findLineFault, withCrlf } from './message-lines.ts'
import { rewriteMessage } from './message-rewrite.ts'

/** A file named as an attachment that cannot be read. */
export class AttachmentError extends Error {
  override readonly name = 'AttachmentError'
  /** The operating system's: `ENOENT`, `EACCES`, `EISDIR`, …; `ERR_TOO_LARGE` for more than 256 MiB. */
  readonly code: string
  readonly path: string

  constructor(path: string, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'EIO'
    const reason = cause instanceof TooLargeError ? cause.message : code
    super(`cannot read the attachment ${printable(path)}: ${reason}`, { cause })
    this.code = code
    this.path = path
  }
}

/** What the composer is handed. */
export interface ReadAttachment {
  readonly filename: string | false
  readonly contentType: string
  readonly content: Buffer
  readonly cid?: string
  readonly contentDisposition?: string
}

/** @throws {AttachmentError} for an unreadable file @throws {MessageError} for a malformed name, type or cid */
export async function readAttachments(
  attachments: readonly Attachment[],
): Promise<readonly ReadAttachment[]> {
  const read: ReadAttachment[] = []
  // One after the other: of several that have no end only one is in memory.
  for (const attachment of attachments) read.push(await readAttachment(attachment))
  return read
}

async function readAttachment(attachment: Attachment): Promise<ReadAttachment> {
  const filename = checkFilename(attachment)
  const contentType = checkContentType(attachment.contentType ?? detectMimeType(filename || 'bin'))
  const cid = attachment.cid === undefined ? {} : { cid: checkCid(attachment.cid) }
  const content = await readContent(attachment)
  // Only an image that the HTML shows may do without a name.
  const named = {
    filename: filename || (attachment.cid === undefined ? 'attachment' : false),
    ...cid,
  } as const
  if (!/^message\//i.test(contentType)) return { ...named, contentType, content }
  const message = asMessagePart(contentType, content)
  return {
    ...named,
    contentType: message ? contentType : 'application/octet-stream',
    contentDisposition: 'attachment',
    content: Buffer.from(message ?? content),
  }
}

async function readContent(attachment: Attachment): Promise<Buffer> {
  if ('path' in attachment) {
    return readBounded(attachment.path).catch((cause: unknown) => {
      throw new AttachmentError(attachment.path, cause)
    })
  }
  const { content } = attachment
  if (typeof content === 'string') return Buffer.from(content)
  if (content instanceof Uint8Array)
    return Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  throw new TypeError('Expected an attachment to have a `path`, or `content` that is a string or Uint8Array')
}

/** A message part may not be encoded (RFC 2046 §5.2.1): what does not fit 7 bits as it is travels as a file. */
function asMessagePart(contentType: string, content: Buffer): Uint8Array | null {
  if (!/^message\/rfc822\b/i.test(contentType)) {
    return isAscii(content) && findLineFault(content) === null ? withCrlf(content) : null
  }
  try {
    return rewriteMessage(content, { sevenBit: true })
  } catch (error) {
    if (error instanceof MessageError) return null
    throw error
  }
}

function checkFilename(attachment: Attachment): string {
  if (attachment.filename !== undefined) return checkFieldText('the file name', attachment.filename)
  return 'path' in attachment ? checkFieldText('the file name', basename(attachment.path)) : ''
}

function checkContentType(contentType: string): string {
  const type = checkFieldText('contentType', contentType)
  const isType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+[ \t]*(?:;[\t -~]*)?$/.test(type)
  if (isType && !/^multipart\//i.test(type)) return type
  throw new MessageError(`expected contentType to be like \`image/png\`, got \`${printable(contentType)}\``)
}

/** RFC 2392: the address-like form is not insisted on, readers do not either. */
function checkCid(cid: string): string {
  if (/^[!-;=?-~]{1,400}$/.test(cid)) return cid
  throw new MessageError(
    `expected cid to be printable ASCII without blanks and brackets, got \`${printable(cid)}\``,
  )
}
