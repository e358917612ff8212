/**
 * Replies put together from lines, leniently: a person wants to see what a broken server says, and to judge it.
 * One rule: every line belongs to exactly one reply, also a line that is none.
 */
import { type EnhancedStatus, statusOfLine } from '../smtp/enhanced-status.ts'

/** What the peer said to one command. */
export interface HeardReply {
  /** Of its last line; `null` for a line that is no reply. */
  readonly code: number | null
  readonly status: EnhancedStatus | null
  /** The text behind the codes; unescaped. */
  readonly lines: readonly string[]
}

const LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/s

/** Lines kept of one reply; more of them are heard and forgotten. */
const KEPT_LINES = 100

/** Puts lines together; one for each dialogue. */
export class ReplyAssembler {
  #lines: string[] = []

  /** Whether a reply has begun and its last line is to come. */
  get isMidReply(): boolean {
    return this.#lines.length > 0
  }

  /** Takes a line; returns the reply that it completes. */
  push(line: string): HeardReply | null {
    const [, digits, separator = ' ', text = ''] = LINE.exec(line) ?? []
    const isLast = digits === undefined ? !this.isMidReply : separator === ' '
    if (this.#lines.length < KEPT_LINES) this.#lines.push(digits === undefined ? line : text)
    if (!isLast) return null
    const lines = this.#lines
    this.#lines = []
    const code = digits === undefined ? null : Number(digits)
    return { code, status: code === null ? null : statusOfLine(code, text), lines }
  }
}

/** On one line, unescaped. */
export function heardText({ code, lines }: HeardReply): string {
  const text = lines.join(' ')
  return code === null ? text : `${code} ${text}`.trimEnd()
}
