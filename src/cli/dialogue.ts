/**
 * The SMTP dialogue as it happens, for `--debug`: one line per line said, `C:` ours and `S:` theirs. Times are UTC, as
 * in the log. Secrets are hidden and content is summarised where the lines are made; escaping is done here.
 */
import type { DialogueLine } from '../client/dialogue.ts'
import { escapeText } from '../log/escape.ts'
import type { Paint } from './terminal.ts'

/** Makes the lines to show; remembers which sessions were introduced with their target. */
export class DialogueFormatter {
  readonly #paint: Paint
  readonly #introduced = new Set<string>()

  constructor(paint: Paint) {
    this.#paint = paint
  }

  /** `10:00:00.123 4D1A S: 220 mx1.example.test`; the first of a session is preceded by a line with its target. */
  lines({ at, session, target, direction, text }: DialogueLine): string[] {
    const prefix = `${this.#paint('dim', timeOf(at))} ${session}`
    const said =
      direction === 'client'
        ? `${prefix} ${this.#paint('cyan', 'C:')} ${escapeText(text)}`
        : `${prefix} ${this.#paint('green', 'S:')} ${escapeText(text)}`
    if (this.#introduced.has(session)) return [said]
    this.#introduced.add(session)
    return [`${prefix} -- ${escapeText(target)}`, said]
  }
}

// HH:MM:SS.mmm of an ISO 8601 time.
function timeOf(at: number): string {
  return new Date(at).toISOString().slice(11, 23)
}
