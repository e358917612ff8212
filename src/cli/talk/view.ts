/**
 * A dialogue for the eye. One rule: what the peer says is escaped and cut before it reaches a terminal or a file; what we
 * add stands dim behind it.
 */
import type { TlsState } from '../../client/tls.ts'
import { escapeText } from '../../log/escape.ts'
import type { TalkEvent } from '../../talk/events.ts'
import { explain, explainKeyword } from '../../talk/explain.ts'
import { HIDDEN } from '../../talk/secrets.ts'
import type { Paint } from '../terminal.ts'

type Heard = Extract<TalkEvent, { kind: 'heard' }>

/** The dialogue with its times, for a file and for what is no terminal. */
export function transcriptLines(event: TalkEvent): readonly string[] {
  const time = new Date(event.at).toISOString().slice(11, 23)
  return plainLines(event).map((line) => `${time} ${line}`)
}

/** The dialogue as it was said: `C:` ours, `S:` theirs, `--` about it. */
export function plainLines(event: TalkEvent): readonly string[] {
  switch (event.kind) {
    case 'said':
      return saidLines(event.text)
    case 'heard':
      return [`S: ${heardText(event)}`]
    case 'connected':
      return [`-- connected in ${milliseconds(event.durationMs)}`]
    case 'sent':
      return [`C: [${event.octets} octets of ${escapeText(event.what)}]`]
    case 'encrypted':
      return encryptionLines(event.tls, event.discardedOctets).map((line) => `-- ${line}`)
    case 'noted':
      return [`-- ${escapeText(event.text)}`]
    case 'ended':
      return [`-- ${event.reason === null ? 'closed' : escapeText(event.reason)}`]
    default:
      throw event satisfies never
  }
}

/** One line for each that was said; `:send` says several, or a part of one. */
function saidLines(text: string): readonly string[] {
  const lines = text.split(/\r?\n/)
  const isWhole = lines.length > 1 && lines.at(-1) === ''
  return (isWhole ? lines.slice(0, -1) : lines).map((line) => `C: ${escapeText(line)}`)
}

function heardText({ line }: Heard): string {
  const { text, isCut, isBare } = line
  return `${escapeText(text)}${isCut ? ' […: the line is longer]' : ''}${isBare ? ' [ends with LF alone]' : ''}`
}

function encryptionLines(
  { protocol, cipher, verified, reason, certificate }: TlsState,
  discardedOctets: number,
): string[] {
  const trust = verified ? 'certificate verified' : `certificate not verified: ${escapeText(reason ?? '')}`
  const lines = [`${protocol} ${cipher}, ${trust}`]
  if (certificate) {
    const { names, issuer, validTo } = certificate
    const shown = names.slice(0, 5).join(' ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')
    lines.push(
      `certificate for ${escapeText(shown)}, issued by ${escapeText(issuer)}, valid to ${validTo.slice(0, 10)}`,
    )
  }
  if (discardedOctets > 0) {
    lines.push(`${discardedOctets} octets came in clear behind the 220 and were thrown away (RFC 3207 §4.2)`)
  }
  return lines
}

/** Makes lines for a terminal; remembers where in a reply it is. */
export class TerminalView {
  readonly #paint: Paint
  #linesOfReply = 0
  /** The line as it was typed: it stands on the screen already. */
  typed: string | null = null

  constructor(paint: Paint) {
    this.#paint = paint
  }

  lines(event: TalkEvent): readonly string[] {
    switch (event.kind) {
      case 'said':
        return this.#said(event.text)
      case 'heard':
        return [this.#heard(event)]
      case 'sent':
        return plainLines(event).map((line) => line.replace('C:', this.#paint('cyan', 'C:')))
      default:
        return plainLines(event).map((line) => this.#paint('dim', line))
    }
  }

  #said(text: string): readonly string[] {
    const { typed } = this
    if (typed !== null && text === `.${typed}`) {
      return [this.#paint('dim', '-- a dot was added: one alone would end the content')]
    }
    // A password stands on the screen already, for whoever typed it.
    if (typed !== null && (text === typed || text.endsWith(HIDDEN))) return []
    return saidLines(text).map((line) => line.replace('C:', this.#paint('cyan', 'C:')))
  }

  #heard(event: Heard): string {
    const aside = this.#aside(event)
    this.#linesOfReply = event.reply === null ? this.#linesOfReply + 1 : 0
    const code = event.line.text.slice(0, 1)
    const style = code === '2' || code === '3' ? 'green' : code === '4' ? 'yellow' : 'red'
    const said = `${this.#paint(style, 'S:')} ${heardText(event)}`
    return aside === '' ? said : `${said}  ${this.#paint('dim', aside)}`
  }

  #aside({ line, command, reply, durationMs }: Heard): string {
    const isExtension = command === 'EHLO' && this.#linesOfReply > 0 && line.text.startsWith('250')
    const words = isExtension
      ? explainKeyword(line.text.slice(4))
      : reply === null
        ? ''
        : explain(reply, command)
    const unasked = reply !== null && durationMs === null ? 'unasked' : ''
    const took = durationMs === null ? unasked : milliseconds(durationMs)
    return [took, words].filter((part) => part !== '').join(' · ')
  }
}

function milliseconds(durationMs: number): string {
  return durationMs < 10_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`
}
