/** Where a dialogue is shown: on the terminal or in a pipe, in the transcript, in the JSON document. */
import type { Interface } from 'node:readline'
import { escapeText } from '../../log/escape.ts'
import type { TalkEvent } from '../../talk/events.ts'
import { directiveLines } from '../../talk/input.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { formatJson, noteLine, paintFor, printLine } from '../terminal.ts'
import type { Transcript } from './transcript.ts'
import { plainLines, TerminalView, transcriptLines } from './view.ts'

/** Clears the line that the cursor is in (ECMA-48 EL). */
const WIPE = '\r\x1b[K'

/** Where to. */
export interface ShowOptions {
  readonly transcript: Transcript | null
  readonly json: boolean
  readonly isTerminal: boolean
}

/** Shows what happens, as it happens; the JSON document at the end. */
export class Show {
  readonly #options: ShowOptions
  readonly #view = new TerminalView(paintFor(process.stdout))
  readonly #events: TalkEvent[] = []
  #problem: string | null = null
  #exitCode: ExitCode = exitCodes.ok
  #target: string | null = null
  #terminal: Interface | null = null
  /** The connection ended otherwise than by QUIT. */
  isLost = false

  constructor(options: ShowOptions) {
    this.#options = options
  }

  /** The connection is open. */
  begin(target: string, connected: TalkEvent): void {
    this.#target = target
    const line = `-- ${new Date(connected.at).toISOString().slice(0, 10)} ${escapeText(target)}`
    this.#options.transcript?.write(line)
    this.#print([line])
    this.event(connected)
  }

  event(event: TalkEvent): void {
    if (event.kind === 'ended') this.isLost = event.reason !== null
    for (const line of transcriptLines(event)) this.#options.transcript?.write(line)
    if (this.#options.json) this.#events.push(event)
    else this.#print(this.#options.isTerminal ? this.#view.lines(event) : transcriptLines(event))
  }

  /** From now on a prompt has to make way for what comes. */
  enter(terminal: Interface): void {
    this.#terminal = terminal
  }

  /** There is no prompt any more. */
  leave(): void {
    if (this.#terminal !== null) process.stdout.write(WIPE)
    this.#terminal = null
  }

  /** Runs what a line leads to; the line stands on the screen already, as it was typed. */
  async typed(line: string, act: () => Promise<void>): Promise<void> {
    this.#view.typed = line
    await act().finally(() => {
      this.#view.typed = null
    })
  }

  help(): void {
    this.#print(directiveLines())
  }

  /** Says what went wrong, and with which code it ends if nothing else does. */
  problem(error: Error, exitCode: ExitCode): void {
    this.#problem = error.message
    this.#exitCode = exitCode
    const text = `mxpress: ${escapeText(error.message, { context: 'complaint' })}`
    if (this.#terminal === null) noteLine(text)
    else this.#print([text])
  }

  /** Prints the JSON document, if that was asked for. */
  end(): void {
    if (!this.#options.json) return
    const [target, problem, exitCode] = [this.#target, this.#problem, this.#exitCode]
    const encrypted = this.#events.findLast((event) => event.kind === 'encrypted')
    const replies = this.#events.flatMap(replyOf)
    const lines = this.#events.flatMap(linesOf)
    printLine(formatJson({ target, tls: encrypted?.tls ?? null, problem, exitCode, replies, lines }))
  }

  #print(lines: readonly string[]): void {
    if (this.#options.json || lines.length === 0) return
    if (this.#terminal !== null) process.stdout.write(WIPE)
    for (const line of lines) printLine(line)
    if (this.#terminal !== null) this.#terminal.prompt(true)
  }
}

function replyOf(event: TalkEvent): object[] {
  if (event.kind !== 'heard' || event.reply === null) return []
  const { command, durationMs, reply } = event
  return [{ command, ...reply, durationMs: durationMs === null ? null : Math.round(durationMs) }]
}

const speakers: Readonly<Record<string, string>> = { 'C:': 'client', 'S:': 'server', '--': 'mxpress' }

function linesOf(event: TalkEvent): object[] {
  const at = new Date(event.at).toISOString()
  return plainLines(event).map((line) => ({ at, from: speakers[line.slice(0, 2)], text: line.slice(3) }))
}
