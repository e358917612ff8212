/**
 * The options of sendmail(8), which programs have called by that name for decades.
 * One rule: what means nothing here is read and passed over, so that no caller has to change; what would mean something
 * else than the caller thinks is refused.
 */
import {
  DsnParameterError,
  type EnvelopeDsn,
  parseEnvid,
  parseNotify,
  parseRet,
  type RecipientDsn,
} from '../../mail/dsn-parameters.ts'
import { encodeXtext } from '../../mail/xtext.ts'
import { UsageError } from '../errors.ts'

/** What is to be done. */
export type SendmailMode =
  /** Take a message (`-bm`, default). */
  | 'deliver'
  /** Speak SMTP on standard input and output (`-bs`). */
  | 'session'
  /** List the queue (`-bp`). */
  | 'list'
  /** Make everything in the queue due now (`-q`). */
  | 'run'

/** The command line. */
export interface SendmailArguments {
  readonly mode: SendmailMode
  /** `-t` */
  readonly hasHeaderRecipients: boolean
  /** `-i`, `-oi` */
  readonly ignoresDots: boolean
  /** `-v` */
  readonly isVerbose: boolean
  /** `-f`, `-r` */
  readonly reversePath?: string
  /** `-F` */
  readonly fullName?: string
  /** `-R`, `-V` */
  readonly dsn?: EnvelopeDsn
  /** `-N` */
  readonly recipientDsn?: RecipientDsn
  readonly recipients: readonly string[]
}

type Writable<T> = { -readonly [key in keyof T]: T[key] }
type Apply = (args: Writable<SendmailArguments>, value: string) => void

const nothing: Apply = () => {}

/** Options without a value. */
const switches: Readonly<Record<string, Apply>> = {
  t: (args) => {
    args.hasHeaderRecipients = true
  },
  i: (args) => {
    args.ignoresDots = true
  },
  v: (args) => {
    args.isVerbose = true
  },
  G: nothing,
  m: nothing,
  n: nothing,
  U: nothing,
  x: nothing,
}

/** Options whose value is attached or the next argument. */
const valued: Readonly<Record<string, Apply>> = {
  f: (args, value) => {
    args.reversePath = value
  },
  r: (args, value) => {
    args.reversePath = value
  },
  F: (args, value) => {
    args.fullName = value
  },
  b: (args, value) => {
    args.mode = readMode(value)
  },
  o: (args, value) => {
    if (value === 'i') args.ignoresDots = true
  },
  N: (args, value) => {
    args.recipientDsn = { notify: readDsn('-N', () => parseNotify(value)) }
  },
  R: (args, value) => {
    args.dsn = { ...args.dsn, ret: readDsn('-R', () => parseRet(value)) }
  },
  V: (args, value) => {
    args.dsn = { ...args.dsn, envid: readDsn('-V', () => parseEnvid(encodeXtext(value))) }
  },
  ...Object.fromEntries(
    ['A', 'B', 'C', 'D', 'e', 'h', 'L', 'O', 'p', 'X'].map((letter) => [letter, nothing]),
  ),
}

/** Options whose value, if they have one, is attached. */
const optionallyValued: Readonly<Record<string, Apply>> = {
  q: (args, value) => {
    if (/^[IRSQ!]/.test(value)) {
      throw new UsageError(
        `-q${value}: choose entries with \`mxpress queue retry\`, -q alone makes all due now`,
      )
    }
    args.mode = 'run'
  },
  d: nothing,
}

function readMode(value: string): SendmailMode {
  const modes: Readonly<Record<string, SendmailMode>> = { m: 'deliver', s: 'session', p: 'list' }
  const mode = modes[value]
  if (mode !== undefined) return mode
  const hint = value.toLowerCase() === 'd' ? '; the daemon is `mxpress serve`' : ''
  throw new UsageError(`-b${value}: expected -bm, -bs or -bp${hint}`)
}

function readDsn<T>(option: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof DsnParameterError)
      throw new UsageError(`${option}: ${error.message}`, { cause: error })
    throw error
  }
}

/**
 * Reads the arguments behind the command's name. Options may stand behind recipients, as glibc's getopt has it, until
 * `--`; long options are the command line's own and are passed over, those in `valuedLong` with what follows.
 * @throws {UsageError} naming the option
 */
export function parseSendmailArguments(
  argv: readonly string[],
  valuedLong: ReadonlySet<string> = new Set(),
): SendmailArguments {
  const recipients: string[] = []
  const args: Writable<SendmailArguments> = {
    mode: 'deliver',
    hasHeaderRecipients: false,
    ignoresDots: false,
    isVerbose: false,
    recipients,
  }
  const rest = [...argv]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      recipients.push(...rest)
      break
    }
    if (word.startsWith('--')) {
      if (valuedLong.has(word)) rest.shift()
    } else if (word.startsWith('-') && word !== '-') readCluster(args, word.slice(1), rest)
    else recipients.push(word)
  }
  return args
}

/** `-ti`, `-fuser`, `-f user`, `-oi`, `-q30m`. */
function readCluster(args: Writable<SendmailArguments>, cluster: string, rest: string[]): void {
  for (let at = 0; at < cluster.length; at += 1) {
    const letter = cluster.charAt(at)
    const attached = cluster.slice(at + 1)
    const asSwitch = switches[letter]
    if (asSwitch !== undefined) {
      asSwitch(args, '')
      continue
    }
    const withValue = valued[letter]
    if (withValue !== undefined) {
      const value = attached === '' ? rest.shift() : attached
      if (value === undefined) throw new UsageError(`option -${letter} needs a value`)
      withValue(args, value)
      return
    }
    const apply = optionallyValued[letter]
    if (apply === undefined) throw new UsageError(`unknown option -${letter} in '-${cluster}'`)
    apply(args, attached)
    return
  }
}
