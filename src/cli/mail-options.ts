/**
 * The options that say what the message is and whom it goes to. One rule: everything here that can be wrong (an
 * address, a file, two options that contradict each other) is found out before the message is composed.
 */
import type { Command } from 'commander'
import { AddressError, parseReversePath } from '../mail/address.ts'
import { parseAddressList } from '../mail/address-list.ts'
import type { Mail } from '../mail/mail.ts'
import { UsageError } from './errors.ts'
import { checkReadable, checkStandardInput, type NamedFile, readOctets, readText, STDIN } from './input.ts'
import { asWritten, given, type HeaderField, headerField, repeatable } from './option-values.ts'

/** The options as commander hands them over. */
export interface MailOptions {
  readonly from?: string
  readonly to?: readonly string[]
  readonly cc?: readonly string[]
  readonly bcc?: readonly string[]
  readonly replyTo?: string
  readonly subject?: string
  readonly text?: string
  readonly textFile?: string
  readonly html?: string
  readonly htmlFile?: string
  readonly attach?: readonly string[]
  readonly header?: readonly HeaderField[]
  readonly raw?: string
  readonly envelopeFrom?: string
}

/** Adds the options to a command. */
export function addMailOptions(command: Command): Command {
  const list = repeatable(asWritten)
  return command
    .optionsGroup('Message:')
    .option('--from <address>', 'From field, and the reverse-path unless --envelope-from')
    .option('--to <list>', "recipients, as in 'Bob <bob@example.org>, carol@example.net' (repeatable)", list)
    .option('--cc <list>', 'recipients of a copy (repeatable)', list)
    .option('--bcc <list>', 'recipients that nobody sees (repeatable)', list)
    .option('--reply-to <address>', 'where answers go')
    .option('--subject <string>', 'Subject field')
    .option('--text <string>', 'plain text body')
    .option('--text-file <file>', "plain text body from a file in UTF-8, '-' is standard input")
    .option('--html <string>', 'HTML body; together with a plain text body both are sent')
    .option('--html-file <file>', "HTML body from a file in UTF-8, '-' is standard input")
    .option('--attach <file>', 'a file or pipe to attach, to 256 MiB (repeatable)', list)
    .option("--header <'Name: value'>", 'an additional header field (repeatable)', repeatable(headerField))
    .option('--raw <file>', "a complete RFC 5322 message instead, '-' is standard input")
    .option('--envelope-from <address>', "reverse-path, '<>' for none")
}

const composing = ['replyTo', 'subject', 'text', 'textFile', 'html', 'htmlFile', 'attach', 'header'] as const

/**
 * Reads what the options name.
 * @throws {UsageError} options that are missing, contradictory, or name malformed addresses.
 * @throws {InputFileError} a file that cannot be read.
 * @throws {InputDataError} a text file that is not UTF-8.
 */
export async function readMail(options: MailOptions): Promise<Mail> {
  checkCombination(options)
  checkAddresses(options)
  const textFile = named('--text-file', options.textFile)
  const htmlFile = named('--html-file', options.htmlFile)
  const rawFile = named('--raw', options.raw)
  const attachments = (options.attach ?? []).map((path) => ({ option: '--attach', path }))
  checkStandardInput([textFile, htmlFile, rawFile].filter((file) => file !== null))
  for (const file of attachments) await checkAttachment(file)
  const { from, replyTo, subject, envelopeFrom } = options
  const text = textFile === null ? options.text : await readText(textFile)
  const html = htmlFile === null ? options.html : await readText(htmlFile)
  const raw = rawFile === null ? undefined : await readOctets(rawFile)
  return given({
    from,
    replyTo,
    subject,
    text,
    html,
    raw,
    envelopeFrom,
    to: options.to,
    cc: options.cc,
    bcc: options.bcc,
    headers: options.header,
    attachments: attachments.length === 0 ? undefined : attachments.map(({ path }) => ({ path })),
  })
}

/** Where other options have `-` for standard input, an attachment needs a name that the recipient sees. */
async function checkAttachment(file: NamedFile): Promise<void> {
  try {
    await checkReadable(file)
  } catch (error) {
    if (file.path !== STDIN) throw error
    throw new UsageError("--attach -: there is no file '-'; for standard input write /dev/stdin", {
      cause: error,
    })
  }
}

function checkCombination(options: MailOptions): void {
  if (options.raw !== undefined) {
    const other = composing.find((name) => options[name] !== undefined)
    if (other !== undefined)
      throw new UsageError(`${flag(other)} cannot be used with --raw, which is a whole message`)
    return
  }
  if (options.text !== undefined && options.textFile !== undefined) throw oneOf('--text', '--text-file')
  if (options.html !== undefined && options.htmlFile !== undefined) throw oneOf('--html', '--html-file')
  if (options.from === undefined && !hasHeader(options, 'from')) {
    throw new UsageError('--from is missing: whom is the message from?')
  }
  if (recipientLists(options).length === 0 && !hasHeader(options, 'to', 'cc', 'bcc')) {
    throw new UsageError('--to, --cc or --bcc is missing: whom does it go to?')
  }
}

// `--header 'To: …'` counts as `--to`.
function hasHeader({ header = [] }: MailOptions, ...names: readonly string[]): boolean {
  return header.some(([name]) => names.includes(name.toLowerCase()))
}

const addressFields = /^(?:from|sender|to|cc|bcc|reply-to)$/i

function checkAddresses(options: MailOptions): void {
  for (const [option, text] of recipientLists(options)) malformed(option, () => parseAddressList(text))
  for (const name of ['from', 'replyTo'] as const) {
    const text = options[name]
    if (text !== undefined) malformed(flag(name), () => parseAddressList(text))
  }
  for (const [name, value] of options.header ?? []) {
    if (addressFields.test(name)) malformed(`--header ${name}`, () => parseAddressList(value))
  }
  const { envelopeFrom } = options
  if (envelopeFrom !== undefined) malformed('--envelope-from', () => parseReversePath(envelopeFrom))
}

function recipientLists({
  to = [],
  cc = [],
  bcc = [],
}: MailOptions): (readonly [option: string, list: string])[] {
  return Object.entries({ to, cc, bcc }).flatMap(([name, lists]) =>
    lists.map((list) => [`--${name}`, list] as const),
  )
}

function malformed(option: string, parse: () => unknown): void {
  try {
    parse()
  } catch (error) {
    if (error instanceof AddressError) throw new UsageError(`${option}: ${error.message}`, { cause: error })
    throw error
  }
}

const named = (option: string, path: string | undefined): NamedFile | null =>
  path === undefined ? null : { option, path }

const oneOf = (one: string, other: string): UsageError =>
  new UsageError(`${one} cannot be used with ${other}`)

const flag = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
