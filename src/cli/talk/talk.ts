/**
 * `mxpress talk`: SMTP by hand, as everybody learns it, or from a script. One rule: script, files, options and the transcript
 * are checked before anybody is called; what happens then is shown as it happens.
 */
import type { Interface } from 'node:readline'
import type { Command } from 'commander'
import { tlsClientFor } from '../../client/trust.ts'
import { ConfigError } from '../../config/errors.ts'
import { resolveSettings } from '../../config/settings.ts'
import { RouteError } from '../../route/route.ts'
import { SmtpError } from '../../smtp/errors.ts'
import { TalkInputError, UnexpectedReplyError } from '../../talk/errors.ts'
import { directiveLines } from '../../talk/input.ts'
import { checkScript, linesOfScript } from '../../talk/script.ts'
import { Talk } from '../../talk/talk.ts'
import { dnsOption, readAgentOptions } from '../agent-options.ts'
import { type CommonOptions, newCommand } from '../command.ts'
import { InputDataError, InputFileError } from '../errors.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { checkReadable, readOctets, readText, STDIN } from '../input.ts'
import { timeLimit } from '../option-values.ts'
import { Stop } from '../stop.ts'
import { call, nameOf, ownName, parseCallee } from './connect.ts'
import { openTerminal, pipedLines } from './lines.ts'
import { Show } from './show.ts'
import { openTranscript } from './transcript.ts'

interface TalkCommandOptions extends CommonOptions {
  readonly mx?: true
  readonly script?: string
  readonly implicitTls?: true
  readonly timeout?: number
  readonly transcript?: string
  readonly raw?: true
  readonly hostname?: string
  readonly dns?: readonly string[]
}

/** Where TLS comes before the first word (RFC 8314 §3.3). */
const SUBMISSIONS_PORT = 465

/** RFC 5321 §4.5.3.2 gives servers five; a person has gone by then. */
const DEFAULT_TIMEOUT_MS = 60_000

/** The command with its options; sets `process.exitCode`. */
export function talkCommand(): Command {
  return newCommand({
    name: 'talk',
    summary: 'speak SMTP with a server by hand, or from a script',
    description: `Connects and sends what you type, line by line, and shows what the server says, how long it took and what it means. STARTTLS upgrades the connection; after DATA, lines are content up to a single dot; Ctrl-D says QUIT.

From a file or a pipe, each reply has to be 2xx or 3xx, or what the :expect behind it says; else the rest is not sent, and mxpress ends with 69, or with 75 where a later try may help. Lines that begin with # are comments.`,
    examples: [
      'mxpress talk mx1.example.net',
      'mxpress talk --mx example.net --transcript session.txt',
      'mxpress talk mail.example.org:465',
      'mxpress talk 127.0.0.1:2525 --script check.rc --timeout 10s',
      "printf ':ehlo\\nSTARTTLS\\n:ehlo\\n' | \\\n  mxpress talk mx1.example.net --json",
    ],
  })
    .argument('<host[:port]>', 'whom to call; port 25 unless it is given')
    .option('--mx', 'the host is a domain: call its exchangers, the best first')
    .option('--script <file>', 'lines to say instead of standard input')
    .option('--implicit-tls', 'TLS from the first octet (default on port 465)')
    .option('--timeout <duration>', 'for the connection, and for each reply (default: 1m)', timeLimit)
    .option('--transcript <file>', 'the dialogue with its times, without passwords')
    .option('--raw', 'content as it is: no dot doubled, no line end of a file made CRLF')
    .option('--hostname <name>', "name that :ehlo gives (default: the system's)")
    .addOption(dnsOption())
    .addHelpText(
      'after',
      ['', 'Lines that begin with a colon are for mxpress:', ...directiveLines()].join('\n'),
    )
    .action(async (host: string, options: TalkCommandOptions) => {
      process.exitCode = await talk(host, options)
    })
}

async function talk(host: string, options: TalkCommandOptions): Promise<ExitCode> {
  const { timeout: timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const callee = parseCallee(host, options.mx === true)
  const lines = await scriptOf(options)
  const settings = resolveSettings(await readAgentOptions(options))
  const tlsClient = tlsClientFor(settings.tls, { inspects: true })
  using transcript = options.transcript === undefined ? null : openTranscript(options.transcript)
  using stop = new Stop()
  const json = options.json === true
  const show = new Show({ transcript, json, isTerminal: process.stdout.isTTY })
  const isByHand = lines === null && process.stdin.isTTY && !json
  try {
    const timing = { timeoutMs, signal: stop.signal }
    const called = await call(callee, settings, timing)
    const { target, durationMs } = called
    show.begin(nameOf(target), { kind: 'connected', at: Date.now(), durationMs })
    const dialogue = new Talk(called.socket, {
      target,
      tlsClient,
      timeoutMs,
      isStrict: !isByHand,
      isRaw: options.raw === true,
      onEvent: (event) => show.event(event),
      ownName: () => ownName(settings, called.socket.localAddress),
      readFile: (file) => readOctets({ option: ':data', path: file }),
    })
    stop.signal.addEventListener('abort', () => {
      dialogue.drop()
      process.stdin.destroy()
    })
    const implicitTls = options.implicitTls === true || target.exchanger.port === SUBMISSIONS_PORT
    const code = await (isByHand ? byHand : byScript)(dialogue, {
      show,
      implicitTls,
      lines,
      signal: stop.signal,
    })
    return stop.exitCode ?? code
  } catch (error) {
    if (stop.exitCode !== null) return stop.exitCode
    return tell(show, error)
  } finally {
    show.end()
  }
}

async function scriptOf({ script }: TalkCommandOptions): Promise<readonly string[] | null> {
  if (script === undefined || script === STDIN) return null
  const lines = linesOfScript(await readText({ option: '--script', path: script }))
  try {
    for (const path of checkScript(lines)) await checkReadable({ option: ':data', path })
  } catch (error) {
    if (error instanceof TalkInputError)
      throw new InputDataError(`--script ${script}: ${error.message}`, { cause: error })
    throw error
  }
  return lines
}

interface Leading {
  readonly show: Show
  readonly implicitTls: boolean
  /** `null`: standard input. */
  readonly lines: readonly string[] | null
  readonly signal: AbortSignal
}

async function byScript(dialogue: Talk, { show, implicitTls, lines, signal }: Leading): Promise<ExitCode> {
  try {
    await dialogue.greet({ implicitTls })
    for await (const line of lines ?? pipedLines()) await dialogue.take(line)
    await dialogue.finish()
    return exitCodes.ok
  } catch (error) {
    if (signal.aborted) return exitCodes.interrupted
    const code = tell(show, error)
    // What was found is said; how the rest ends is no matter.
    await dialogue.leave()
    return code
  }
}

/** Until Ctrl-D, QUIT or the peer's end. What is wrong is said, and the person goes on. */
async function byHand(dialogue: Talk, { show, implicitTls }: Leading): Promise<ExitCode> {
  const terminal = openTerminal()
  show.enter(terminal)
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  void dialogue.over.then(() => {
    show.leave()
    terminal.close()
  })
  try {
    await dialogue.greet({ implicitTls }).catch((error: unknown) => tell(show, error))
    await converse(dialogue, { show, terminal })
  } finally {
    show.leave()
    terminal.close()
  }
  await dialogue.finish()
  return show.isLost ? exitCodes.temporaryFailure : exitCodes.ok
}

async function converse(
  dialogue: Talk,
  { show, terminal }: { readonly show: Show; readonly terminal: Interface },
): Promise<void> {
  // A closed terminal is not to be asked for anything.
  if (dialogue.isOver) return
  terminal.prompt()
  for await (const line of terminal) {
    if (dialogue.mode === 'command' && /^:\s*help\b/i.test(line)) show.help()
    await show.typed(line, () => dialogue.take(line)).catch((error: unknown) => tell(show, error))
    if (dialogue.isOver) return
    terminal.prompt()
  }
}

/** @throws what is neither of the network nor of the input */
function tell(show: Show, error: unknown): ExitCode {
  const code = exitCodeOf(error)
  show.problem(error as Error, code)
  return code
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof TalkInputError || error instanceof InputDataError) return exitCodes.dataError
  if (error instanceof InputFileError) return exitCodes.noInput
  if (error instanceof ConfigError) return exitCodes.config
  if (error instanceof UnexpectedReplyError) {
    const { replyCode } = error
    const isLater = replyCode === null || (replyCode >= 400 && replyCode < 500)
    return isLater ? exitCodes.temporaryFailure : exitCodes.unavailable
  }
  if (error instanceof RouteError)
    return error.kind === 'dns' ? exitCodes.temporaryFailure : exitCodes.unavailable
  if (error instanceof SmtpError) return exitCodes.temporaryFailure
  throw error
}
