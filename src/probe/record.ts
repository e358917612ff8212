/** What is written down while one address is asked. One rule: whatever a peer sends, a record stays small. */
import type { OpenedStage } from '../client/session-options.ts'
import type { TlsState } from '../client/tls.ts'
import { parseExtensions } from '../smtp/extensions.ts'
import type { Reply } from '../smtp/reply.ts'
import type {
  AddressReport,
  ProbeStage,
  ProbeTls,
  ReplyReport,
  StageReport,
  TranscriptLine,
} from './report.ts'

/** Of one reply; RFC 5321 §4.5.3.1.5 promises lines of 512 octets, and nobody needs fifty of them. */
const MAX_LINES = 50
const MAX_LINE_LENGTH = 512
/** Lines of one transcript; an ordinary one has about thirty. */
const MAX_TRANSCRIPT_LINES = 500

/** The record of one address; filled in as things happen. */
export class ProbeRecord {
  readonly stages: StageReport[] = []
  extensions: readonly string[] = []
  tls: ProbeTls | null = null
  recipient: ReplyReport | null = null
  catchAll: AddressReport['catchAll'] = null
  vrfy: ReplyReport | null = null
  /** Of the last stage. */
  lastReply: Reply | null = null
  readonly transcript: TranscriptLine[] | null
  /** The target that the session was opened for, where it is another one. */
  openedFor: string | null = null
  #begun = performance.now()

  constructor(options: { readonly transcript: boolean }) {
    this.transcript = options.transcript ? [] : null
  }

  /** The same up to now, but for the dialogue: what follows is written into either one. */
  copy(): ProbeRecord {
    const copy = new ProbeRecord({ transcript: this.transcript !== null })
    copy.stages.push(...this.stages)
    copy.extensions = this.extensions
    copy.tls = this.tls
    copy.#begun = this.#begun
    return copy
  }

  /** It goes on in the session that was opened for another target. */
  joins(other: string): void {
    this.openedFor = other
    this.said('client', `[in the session that was opened for ${other}]`)
  }

  /** A stage ended. */
  add(stage: ProbeStage, end: Pick<OpenedStage, 'reply' | 'error' | 'durationMs'>): void {
    const { reply, error } = end
    this.lastReply = reply
    const ok = error === null && (reply === null || reply.code < 400)
    // A refusal speaks for itself; the error that carries it would only say the same again.
    const isSaid = reply !== null && reply.code >= 400
    this.stages.push({
      stage,
      ok,
      durationMs: Math.round(end.durationMs),
      reply: reply === null ? null : replyReport(reply),
      error: error === null || isSaid ? null : error.message,
    })
  }

  /** A stage of the opening ended. */
  opened(end: OpenedStage): void {
    // Nobody logs in to ask.
    if (end.stage === 'auth') return
    this.add(end.stage, end)
    if (end.stage !== 'ehlo' || end.reply === null || end.error !== null) return
    const { keywords } = parseExtensions(end.reply.lines.slice(0, MAX_LINES))
    // Under TLS it is no longer offered, and was all the same.
    const hadStartTls = this.extensions.includes('STARTTLS') && !keywords.includes('STARTTLS')
    this.extensions = hadStartTls ? [...keywords, 'STARTTLS'] : keywords
  }

  secured({ protocol, cipher, verified, reason, certificate = null }: TlsState): void {
    this.tls = { protocol, cipher, verified, reason, certificate }
  }

  /** The connection is given up; a new one begins in clear. */
  inClear(): void {
    this.tls = null
    this.extensions = []
  }

  said(from: TranscriptLine['from'], text: string): void {
    const { transcript } = this
    if (transcript === null || transcript.length >= MAX_TRANSCRIPT_LINES) return
    const atMs = Math.round(performance.now() - this.#begun)
    transcript.push({ atMs, from, line: shortened(text) })
  }
}

/** A reply as reports show it. */
export function replyReport({ code, status, lines }: Reply): ReplyReport {
  return { code, status, lines: lines.slice(0, MAX_LINES).map(shortened) }
}

function shortened(line: string): string {
  return line.length <= MAX_LINE_LENGTH ? line : `${line.slice(0, MAX_LINE_LENGTH)}…`
}
