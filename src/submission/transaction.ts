/**
 * One mail transaction as MAIL and RCPT build it up (RFC 5321 §3.3).
 * One rule: it is made by the MAIL that stands and forgets all that a refused one said.
 */
import {
  type Address,
  AddressError,
  addressKey,
  needsSmtpUtf8,
  parseAddress,
  parseReversePath,
} from '../mail/address.ts'
import {
  DsnParameterError,
  type EnvelopeDsn,
  parseEnvid,
  parseNotify,
  parseOrcpt,
  parseRet,
  type RecipientDsn,
} from '../mail/dsn-parameters.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import type { Parameters, PathCommand } from './command-path.ts'
import { Refusal, TOO_MANY_RECIPIENTS } from './refusal.ts'

/** What a transaction has to know of the listener. */
export interface TransactionLimits {
  /** Our own name, for `<postmaster>` without a domain (RFC 5321 §4.1.1.3). */
  readonly hostname: string
  /** From 100 on (RFC 5321 §4.5.3.1.8). */
  readonly maxRecipients: number
}

/** RFC 1870, RFC 6152, RFC 6531, RFC 3461, RFC 4954 §5; SIZE is judged by smtp-server, AUTH is not passed on. */
const mailParameters: ReadonlySet<string> = new Set(['SIZE', 'BODY', 'SMTPUTF8', 'RET', 'ENVID', 'AUTH'])
const rcptParameters: ReadonlySet<string> = new Set(['NOTIFY', 'ORCPT'])

/** Collects one envelope. */
export class Transaction {
  readonly reversePath: Address | null
  /** Whether the client said SMTPUTF8. */
  readonly isUtf8: boolean
  readonly #limits: TransactionLimits
  readonly #dsn: EnvelopeDsn
  readonly #recipients = new Map<string, Recipient>()

  /** Begins with MAIL. @throws {Refusal} */
  constructor({ path, parameters }: PathCommand, limits: TransactionLimits) {
    refuseUnknown(parameters, mailParameters)
    this.#limits = limits
    this.isUtf8 = 'SMTPUTF8' in parameters
    this.reversePath = this.#read('5.1.7', () => parseReversePath(path))
    this.#dsn = readDsn(() => ({
      ...optional('ret', parameters.RET, parseRet),
      ...optional('envid', parameters.ENVID, parseEnvid),
    }))
  }

  /** Takes a RCPT. The same mailbox again replaces what was asked for it before. @throws {Refusal} */
  addRecipient({ path, parameters }: PathCommand): void {
    refuseUnknown(parameters, rcptParameters)
    const named = /^postmaster$/i.test(path) ? `postmaster@${this.#limits.hostname}` : path
    const address = this.#read('5.1.3', () => parseAddress(named))
    const key = addressKey(address)
    if (this.#recipients.size >= this.#limits.maxRecipients && !this.#recipients.has(key)) {
      // RFC 5321 §4.5.3.1.10: 452, the client sends the others in a second transaction.
      throw new Refusal(
        452,
        TOO_MANY_RECIPIENTS,
        `too many recipients, at most ${this.#limits.maxRecipients} in a transaction`,
      )
    }
    const dsn: RecipientDsn = readDsn(() => ({
      ...optional('notify', parameters.NOTIFY, parseNotify),
      ...optional('orcpt', parameters.ORCPT, (value) => parseOrcpt(value, { smtpUtf8: this.isUtf8 })),
    }))
    const recipient: Recipient = { address, field: 'to' }
    this.#recipients.set(key, Object.keys(dsn).length === 0 ? recipient : { ...recipient, dsn })
  }

  /** What has been collected. */
  get envelope(): Envelope {
    const envelope = { reversePath: this.reversePath, recipients: [...this.#recipients.values()] }
    return Object.keys(this.#dsn).length === 0 ? envelope : { ...envelope, dsn: this.#dsn }
  }

  #read<T extends Address | null>(status: string, read: () => T): T {
    const address = asRefusal(AddressError, status, read)
    // RFC 6531 §3.5: 553 where a mailbox was named that needs what was not asked for.
    if (address !== null && needsSmtpUtf8(address) && !this.isUtf8) {
      throw new Refusal(553, '5.6.7', 'the address is not ASCII, and MAIL did not say SMTPUTF8')
    }
    return address
  }
}

/** RFC 5321 §4.1.1.11: 555 for parameters that EHLO did not offer. */
function refuseUnknown(parameters: Parameters, known: ReadonlySet<string>): void {
  const unknown = Object.keys(parameters).find((keyword) => !known.has(keyword))
  if (unknown !== undefined) throw new Refusal(555, '5.5.4', `unknown parameter ${unknown.slice(0, 40)}`)
}

/** Status 5.5.4: invalid command arguments (RFC 3463 §3.6). */
function readDsn<T>(read: () => T): T {
  return asRefusal(DsnParameterError, '5.5.4', read)
}

function asRefusal<T>(
  kind: typeof AddressError | typeof DsnParameterError,
  status: string,
  read: () => T,
): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof kind) throw new Refusal(501, status, error.message, { cause: error })
    throw error
  }
}

function optional<Key extends string, T>(
  key: Key,
  value: string | true | undefined,
  read: (value: string) => T,
): { readonly [name in Key]?: T } {
  return value === undefined
    ? {}
    : ({ [key]: read(value === true ? '' : value) } as { readonly [name in Key]?: T })
}
