/**
 * Cuts a message into the pieces that MIME sees in it (RFC 2046 §5.1): headers, leaf bodies, delimiters, and the text
 * around the parts. One rule: the pieces, in order, are the whole message, octet for octet; who changes one leaves the
 * others alone. One pass, no recursion: ten thousand nested multiparts are ten thousand entries of a list.
 *
 * Our own and not a library, because those at hand give up octets (parsers), or see only the two innermost boundaries
 * and none with blanks behind it (mailsplit); the fields are read by nodemailer's parser.
 */
import { MessageError } from './message-error.ts'
import { type Field, FieldCollector, firstFieldText, parseHeader, parseParameters } from './message-header.ts'
import { type Line, linesOf, withoutBlanks } from './message-lines.ts'

/** A message or a body part of one. */
export interface Part {
  /** `type/subtype` in lower case. */
  readonly type: string
  /** The transfer encoding in lower case; `7bit` where none is given (RFC 2045 §6.1). */
  readonly encoding: string
  readonly fields: readonly Field[]
  /** A whole message: the outermost, or one in a message/rfc822. */
  readonly isMessage: boolean
  /** Inside a message/rfc822: its header is content of the outer message. */
  readonly isNested: boolean
  /** Inside a multipart/signed: a change would break the signature (RFC 1847 §2.1). */
  readonly isSealed: boolean
}

/**
 * One piece. `header`: with the blank line. `body`: of a leaf, without the line end that belongs to the next delimiter
 * (RFC 2046 §5.1.1). `delimiter`: with that line end. `ignored`: preamble or epilogue.
 */
export type Segment = PartSegment<'header'> | PartSegment<'body'> | FrameSegment

/** The header or the body of a part. */
export interface PartSegment<Kind extends 'header' | 'body'> {
  readonly kind: Kind
  readonly start: number
  readonly end: number
  readonly part: Part
}

/** What holds the parts together. */
export interface FrameSegment {
  readonly kind: 'delimiter' | 'ignored'
  readonly start: number
  readonly end: number
}

/** Encodings that leave the octets alone (RFC 2045 §6.2). */
export const identityEncodings: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary'])

/** More than any message has; without an end a hostile one could fill the memory. */
const partLimit = 100_000

interface Multipart {
  readonly part: Part
  readonly boundary: string
  /** The enclosing multipart of the same boundary, if there is one. */
  readonly shadowed: number | undefined
  hasParts: boolean
}

type State =
  | { readonly kind: 'header'; readonly collector: FieldCollector; readonly origin: Origin }
  | { readonly kind: 'body'; readonly part: Part }
  | { readonly kind: 'ignored'; readonly preambleOf?: Multipart }

/** What a part knows from where it stands. */
interface Origin {
  readonly defaultType: string
  readonly isMessage: boolean
  readonly isNested: boolean
  readonly isSealed: boolean
}

/**
 * The pieces of the message that begins at `from`.
 * @throws {MessageError} when it has no header section, or more than 100,000 parts.
 */
export function splitParts(bytes: Uint8Array, from = 0): readonly Segment[] {
  parseHeader(bytes, from)
  const splitter = new Splitter(bytes, from)
  for (const line of linesOf(bytes, from)) splitter.take(line)
  return splitter.finish()
}

class Splitter {
  readonly #bytes: Uint8Array
  readonly #segments: Segment[] = []
  readonly #open: Multipart[] = []
  readonly #depthOf = new Map<string, number>()
  #state: State
  #start: number
  #previousEnd: number

  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes
    this.#start = from
    this.#previousEnd = from
    this.#state = this.#newHeader({
      defaultType: 'text/plain',
      isMessage: true,
      isNested: false,
      isSealed: false,
    })
  }

  take(line: Line): void {
    const delimiter = this.#readDelimiter(line)
    if (delimiter) this.#takeDelimiter(line, delimiter)
    else if (this.#state.kind === 'header') this.#takeHeaderLine(line, this.#state)
    this.#previousEnd = line.end
  }

  finish(): readonly Segment[] {
    this.#endSegment(this.#bytes.length)
    return this.#segments
  }

  #newHeader(origin: Origin): State {
    return { kind: 'header', collector: new FieldCollector(this.#bytes), origin }
  }

  #takeHeaderLine(line: Line, { collector }: State & { kind: 'header' }): void {
    const isBlank = line.start === line.end
    if (!isBlank && collector.take(line)) return
    // No field and no blank line: the body has begun without one, as every reader takes it.
    this.#endHeader(isBlank ? line.next : line.start)
    if (!isBlank && this.#state.kind === 'header') this.#endHeader(line.start)
  }

  /** Ends the header and begins what its fields announce. */
  #endHeader(end: number): void {
    if (this.#state.kind !== 'header') return
    const part = this.#endHeaderSegment(end, this.#state)
    if (part.type.startsWith('multipart/')) this.#beginMultipart(part)
    else if (part.type === 'message/rfc822' && identityEncodings.has(part.encoding)) {
      const { isSealed } = part
      this.#state = this.#newHeader({
        defaultType: 'text/plain',
        isMessage: true,
        isNested: true,
        isSealed,
      })
    } else this.#state = { kind: 'body', part }
  }

  #endHeaderSegment(end: number, { collector, origin }: State & { kind: 'header' }): Part {
    const { defaultType, ...place } = origin
    const { fields } = collector
    const type = parseParameters(firstFieldText(this.#bytes, fields, 'content-type') ?? '').value
    const encoding = parseParameters(
      firstFieldText(this.#bytes, fields, 'content-transfer-encoding') ?? '',
    ).value
    const part = { type: type || defaultType, encoding: encoding || '7bit', fields, ...place }
    this.#push({ kind: 'header', start: this.#start, end, part })
    this.#start = end
    return part
  }

  #beginMultipart(part: Part): void {
    const text = firstFieldText(this.#bytes, part.fields, 'content-type') ?? ''
    const boundary = parseParameters(text).params.boundary
    if (!boundary) {
      this.#state = { kind: 'body', part }
      return
    }
    const key = Buffer.from(boundary).toString('latin1')
    const multipart = { part, boundary: key, shadowed: this.#depthOf.get(key), hasParts: false }
    this.#depthOf.set(key, this.#open.length)
    this.#open.push(multipart)
    this.#state = { kind: 'ignored', preambleOf: multipart }
  }

  /** A line of two hyphens, the boundary, two more at the end of the multipart, and blanks (RFC 2046 §5.1.1). */
  #readDelimiter({ start, end }: Line): { depth: number; isLast: boolean } | null {
    const isCandidate = this.#open.length > 0 && this.#bytes[start] === 45 && this.#bytes[start + 1] === 45
    if (!isCandidate || end - start < 3) return null
    const textEnd = withoutBlanks(this.#bytes, start + 2, end)
    const text = Buffer.from(this.#bytes.subarray(start + 2, textEnd)).toString('latin1')
    const depth = this.#depthOf.get(text)
    if (depth !== undefined) return { depth, isLast: false }
    const outer = text.endsWith('--') ? this.#depthOf.get(text.slice(0, -2)) : undefined
    return outer === undefined ? null : { depth: outer, isLast: true }
  }

  #takeDelimiter(line: Line, { depth, isLast }: { depth: number; isLast: boolean }): void {
    const multipart = this.#open[depth]
    if (!multipart) return
    multipart.hasParts = true
    const end = this.#state.kind === 'header' ? line.start : Math.max(this.#start, this.#previousEnd)
    this.#endSegment(end)
    // The boundary of an outer multipart ends the inner ones, whether they were closed or not (RFC 2046 §5.1.2).
    while (this.#open.length > (isLast ? depth : depth + 1)) this.#close()
    this.#push({ kind: 'delimiter', start: end, end: line.next })
    this.#start = line.next
    this.#state = isLast ? { kind: 'ignored' } : this.#newHeader(originIn(multipart.part))
  }

  #close(): void {
    const multipart = this.#open.pop()
    if (!multipart) return
    if (multipart.shadowed === undefined) this.#depthOf.delete(multipart.boundary)
    else this.#depthOf.set(multipart.boundary, multipart.shadowed)
  }

  /** Ends whatever is open at `end`. */
  #endSegment(end: number): void {
    const state = this.#state
    if (state.kind === 'header') this.#endHeaderSegment(end, state)
    else if (state.kind === 'body') this.#push({ kind: 'body', start: this.#start, end, part: state.part })
    // A multipart none of whose delimiters ever came: its preamble is all it has, so it is not to be ignored.
    else if (state.preambleOf && !state.preambleOf.hasParts) {
      this.#push({ kind: 'body', start: this.#start, end, part: state.preambleOf.part })
    } else this.#push({ kind: 'ignored', start: this.#start, end })
  }

  #push(segment: Segment): void {
    // Each part makes at most three pieces: header, body, delimiter.
    if (this.#segments.length > 3 * partLimit) throw new MessageError(`more than ${partLimit} MIME parts`)
    this.#segments.push(segment)
  }
}

function originIn({ type, isNested, isSealed }: Part): Origin {
  return {
    // RFC 2046 §5.1.5.
    defaultType: type === 'multipart/digest' ? 'message/rfc822' : 'text/plain',
    isMessage: false,
    isNested,
    isSealed: isSealed || type === 'multipart/signed',
  }
}
