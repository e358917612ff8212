/**
 * What nodemailer hands to a transport, and what of it goes to the agent. The types name only what is used, so that they
 * fit every nodemailer that knows plug-ins, with its own types or those of `@types/nodemailer`.
 *
 * One rule: the message is read once, as the stream that nodemailer makes (its `dkim`, stream plug-ins and streamed
 * attachments included), and kept once, however many recipients it has.
 */
import type { Readable } from 'node:stream'
import type { Agent } from '../agent/agent.ts'
import { formatAddress, parseAddress } from '../mail/address.ts'
import type { ComposedMail } from '../mail/compose.ts'
import {
  formatEnvid,
  formatOrcpt,
  parseEnvid,
  parseNotify,
  parseOrcpt,
  parseRet,
} from '../mail/dsn-parameters.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import { TransportError, withCode } from './nodemailer-errors.ts'

/** Where nodemailer says the message goes. */
export interface NodemailerEnvelope {
  /** `false` or `''`: the null reverse-path. */
  readonly from?: string | false | undefined
  readonly to?: readonly string[] | string | undefined
}

/** Wishes about reports (RFC 3461), by either of the names that nodemailer knows them by. */
export interface NodemailerDsn {
  readonly ret?: string | null | undefined
  readonly return?: string | null | undefined
  readonly envid?: string | null | undefined
  readonly id?: string | null | undefined
  readonly notify?: string | readonly string[] | null | undefined
  readonly orcpt?: string | null | undefined
  readonly recipient?: string | null | undefined
}

/** The message as nodemailer has compiled it. */
export interface NodemailerMail {
  readonly message: {
    getEnvelope(): NodemailerEnvelope
    createReadStream(): Readable
  } | null
  /** What was given to `sendMail`; {@link MailData} is what of it concerns a transport. */
  readonly data: object
}

/** What of the data of `sendMail` concerns a transport. */
export interface MailData {
  readonly signal?: AbortSignal | undefined
  readonly dsn?: NodemailerDsn | undefined
  readonly requireTLSExtensionEnabled?: boolean | undefined
  /** With `queue`: see `EnqueueOptions`. */
  readonly idempotencyKey?: string | null | undefined
}

/** A message that was taken over. */
export interface TakenMail extends ComposedMail {
  /** As nodemailer has it. */
  readonly given: { readonly from: string | false; readonly to: readonly string[] }
}

/**
 * Reads message and envelope, and checks both; nothing has been connected to.
 * @throws {TransportError} or what reading an attachment failed with, with a `code` of nodemailer's
 */
export async function takeMail(mail: NodemailerMail, agent: Agent): Promise<TakenMail> {
  const { message } = mail
  const data: MailData = mail.data
  if (message === null) throw new TransportError('EMESSAGE', 'the message was not compiled')
  if (data.requireTLSExtensionEnabled) {
    // RFC 8689 §2: a message marked so must not travel without; leaving the mark out would be a broken promise.
    throw new TransportError(
      'EREQUIRETLS',
      'REQUIRETLS (RFC 8689) is not supported: use `tls.mode` "verified"',
    )
  }
  checkKey(data.idempotencyKey)
  const { from, to } = message.getEnvelope()
  const given = { from: from || (false as const), to: [to ?? []].flat() }
  if (given.to.length === 0) throw new TransportError('EENVELOPE', 'No recipients defined')
  const raw = await readWhole(message.createReadStream(), data.signal)
  const prepared = await agent
    .prepare({ raw, to: given.to.map((address) => ({ address })), envelopeFrom: from || null })
    .catch((error: unknown) => Promise.reject(withCode(error)))
  return { message: prepared.message, envelope: withDsn(prepared.envelope, data.dsn), given }
}

function checkKey(key: unknown): void {
  if (key === undefined || key === null || (typeof key === 'string' && key !== '')) return
  throw new TransportError(
    'ECONFIG',
    `Expected \`idempotencyKey\` to be a text that is not empty, got \`${String(key)}\``,
  )
}

async function readWhole(stream: Readable, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const stop = (): void => void stream.destroy(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  try {
    signal?.throwIfAborted()
    for await (const chunk of stream) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    return Buffer.concat(chunks)
  } catch (error) {
    stream.destroy()
    signal?.throwIfAborted()
    throw withCode(error, 'ESTREAM')
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function withDsn(envelope: Envelope, wishes: NodemailerDsn | undefined): Envelope {
  if (wishes === undefined || wishes === null) return envelope
  try {
    const forAll = envelopeWishes(wishes)
    const forEach = recipientWishes(wishes)
    const recipients = envelope.recipients.map((recipient): Recipient => ({ ...recipient, dsn: forEach }))
    return { ...envelope, recipients, dsn: forAll }
  } catch (error) {
    throw withCode(error)
  }
}

function envelopeWishes(wishes: NodemailerDsn): NonNullable<Envelope['dsn']> {
  const ret = wishes.ret ?? wishes.return
  const envid = wishes.envid ?? wishes.id
  return {
    ...(ret
      ? { ret: parseRet(/^(headers|full)$/i.test(ret) ? ret.replace(/^headers$/i, 'HDRS') : ret) }
      : {}),
    ...(envid ? { envid: parseEnvid(formatEnvid(envid)) } : {}),
  }
}

function recipientWishes(wishes: NodemailerDsn): NonNullable<Recipient['dsn']> {
  const notify = [wishes.notify ?? []].flat().join(',')
  const original = wishes.orcpt ?? wishes.recipient
  return {
    ...(notify === '' ? {} : { notify: parseNotify(notify) }),
    ...(original ? { orcpt: readOrcpt(original) } : {}),
  }
}

function readOrcpt(text: string): string {
  const typed = /^[\w.-]+;/.test(text) ? text : `rfc822;${formatAddress(parseAddress(text))}`
  return parseOrcpt(formatOrcpt(typed, { smtpUtf8: false }))
}
