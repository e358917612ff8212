/**
 * Signs messages for their author's domain (RFC 6376). Every road hands its messages through here after the last change
 * and before the first transaction or the queue, so that the same signed octets go to everybody, today, at a retry, and
 * after a crash; which is why mail is signed when it is accepted and not when it is delivered. A key that is rotated stays
 * in DNS for as long as mail may wait (`queue.expire`).
 *
 * One rule: a message is signed once, however many roads it takes; what is signed already comes back as it is.
 */
import { ConfigError } from '../../config/errors.ts'
import type { DkimSettings } from '../../config/settings.ts'
import type { UnsignedEvent } from '../../log/events.ts'
import { type Message, prependFields } from '../message.ts'
import { MessageError } from '../message-error.ts'
import { type Field, fieldText, parseHeader } from '../message-header.ts'
import type { Signer } from '../signer.ts'
import { hashBody } from './body.ts'
import { chooseFields, type FieldChoice, fieldChoice, type SignedFields } from './fields.ts'
import { readFromDomains } from './from-field.ts'
import { type DkimKey, readKey } from './key.ts'
import {
  findSignatures,
  isOneValid,
  type LookUpTxt,
  type PresentSignature,
  type ReadMessage,
  withoutFields,
} from './present.ts'
import { recordName, recordOf } from './record.ts'
import { signatureField } from './signature.ts'

/** What signing needs of its surroundings. */
export interface SignerOptions {
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
  /** Asks for the keys of signatures that are there already. Default: only our own keys are known. */
  readonly lookUp?: LookUpTxt
  /** Told, at each reading, what the operator should know of the keys. */
  readonly onWarning?: (text: string) => void
  /** Told of each message that should be signed and cannot be. */
  readonly onUnsigned?: (unsigned: Unsigned) => void
}

/** A message that goes unsigned although its author's domain has keys, for the log. */
export type Unsigned = Omit<UnsignedEvent, 'kind' | 'id'>

/** A domain with its keys read. */
interface SigningDomain extends Omit<DkimSettings, 'keys' | 'headers'> {
  readonly choice: FieldChoice
  readonly keys: readonly DkimKey[]
}

/** A signer that follows its key files. */
export interface KeyedSigner extends Signer {
  /**
   * Reads all keys again; what is signed from then on is signed with them.
   * @throws {ConfigError} as `createSigner` does; the keys it has stay in use then
   */
  rereadKeys(): Promise<void>
}

/**
 * Reads all keys.
 * @throws {ConfigError} one cannot be read, or cannot sign: one line for each
 */
export async function createSigner(
  settings: readonly DkimSettings[],
  options: SignerOptions = {},
): Promise<KeyedSigner> {
  const read = (): ReturnType<typeof readDomains> => readDomains(settings, options.onWarning)
  return new DkimSigner(await read(), read, options)
}

type Domains = ReadonlyMap<string, SigningDomain>

async function readDomains(
  settings: readonly DkimSettings[],
  onWarning: (text: string) => void = () => {},
): Promise<Domains> {
  const domains = new Map<string, SigningDomain>()
  const complaints: string[] = []
  for (const domain of settings) {
    const keys: DkimKey[] = []
    for (const named of domain.keys) {
      try {
        const { key, warnings } = await readKey(named)
        keys.push(key)
        for (const text of warnings) onWarning(text)
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        complaints.push(error.message)
      }
    }
    domains.set(domain.domain, { ...domain, keys, choice: fieldChoice(domain.headers ?? undefined) })
  }
  if (complaints.length > 0) throw new ConfigError(complaints.join('\n'))
  return domains
}

class DkimSigner implements KeyedSigner {
  #domains: Domains
  readonly #read: () => Promise<Domains>
  readonly #options: SignerOptions
  readonly #signed = new WeakMap<Message, Promise<Message>>()

  constructor(domains: Domains, read: () => Promise<Domains>, options: SignerOptions) {
    this.#domains = domains
    this.#read = read
    this.#options = options
  }

  sign(message: Message): Promise<Message> {
    const known = this.#signed.get(message)
    if (known !== undefined) return known
    const signing = this.#sign(message)
    this.#signed.set(message, signing)
    signing.then(
      (signed) => this.#signed.set(signed, signing),
      // Whatever was wrong, such as a file that could not be read, may be put right.
      () => this.#signed.delete(message),
    )
    return signing
  }

  async rereadKeys(): Promise<void> {
    this.#domains = await this.#read()
  }

  async withoutOwn(message: Message): Promise<Uint8Array> {
    let header: Uint8Array = new Uint8Array(0)
    await hashBody(message, {
      wants: (octets) => {
        header = octets
        return false
      },
    })
    const own = findSignatures(header, fieldsOf(header)).filter((signature) => this.#isOwn(signature))
    const pieces: Uint8Array[] = []
    for await (const piece of withoutFields(
      message,
      header,
      own.map(({ field }) => field),
    ))
      pieces.push(piece)
    return Buffer.concat(pieces)
  }

  async #sign(message: Message): Promise<Message> {
    const found: { author: Author | null } = { author: null }
    const bodyHash = await hashBody(message, {
      wants: (header) => {
        found.author = this.#authorOf(message, header)
        return found.author !== null
      },
      onTooLarge: (beginning) => {
        const author = this.#authorOf(message, beginning)
        if (author !== null) this.#giveUp(author, 'header-too-large')
      },
    })
    const { author } = found
    if (bodyHash === null || author === null || (await this.#isSignedAlready(author))) return message
    const chosen = chooseFields(author.fields, author.domain.choice)
    if (chosen === null) {
      this.#giveUp(author, 'too-many-fields')
      return message
    }
    return prependFields(message, await this.#signatures(author, chosen, bodyHash))
  }

  /** Who answers for the message; `null` where that is nobody whose keys we have, or not clear. */
  #authorOf(message: Message, header: Uint8Array): Author | null {
    const fields = fieldsOf(header)
    const from = fields.filter(({ name }) => name === 'from')
    const read = from.slice(0, mostFromFields).map((field) => readFromDomains(fieldText(header, field)))
    for (const { names, isReadable } of read) {
      for (const name of names) {
        const domain = this.#domainFor(name)
        if (domain === null) continue
        // Of two From fields receivers show whichever they like: a signature would vouch for both (RFC 6376 §8.15).
        if (from.length > 1) return this.#giveUp({ message, domain }, 'several-from')
        if (isReadable) return { message, header, fields, name, domain }
        return this.#giveUp({ message, domain }, 'unreadable-from')
      }
    }
    // It names nobody: of a host that signs, it is more likely ours than not, and receivers refuse it either way.
    if (read.some(({ names, isReadable }) => !isReadable && names.length === 0)) {
      return this.#giveUp({ message, domain: null }, 'unreadable-from')
    }
    return null
  }

  #giveUp({ message, domain }: Unsignable, reason: Unsigned['reason']): null {
    this.#options.onUnsigned?.({ messageId: message.messageId, domain: domain?.domain ?? '', reason })
    return null
  }

  /** The domain's own entry, or that of the nearest domain above it. */
  #domainFor(name: string): SigningDomain | null {
    const labels = name.split('.')
    for (let depth = 0; depth < labels.length - 1; depth++) {
      const domain = this.#domains.get(labels.slice(depth).join('.'))
      if (domain !== undefined) return domain
    }
    return null
  }

  async #isSignedAlready(author: Author): Promise<boolean> {
    const { domain, header, fields, name } = author
    if (domain.resign) return false
    const signatures = findSignatures(header, fields).filter(
      (signature) => signature.domain === name || signature.domain === domain.domain,
    )
    return signatures.length > 0 && (await isOneValid(author, signatures, (record) => this.#lookUp(record)))
  }

  /** Our own keys are known, whether they are in DNS yet or not. */
  async #lookUp(record: string): Promise<readonly string[]> {
    for (const { domain, keys } of this.#domains.values()) {
      for (const { selector, publicKey } of keys) {
        if (recordName(domain, selector).toLowerCase() !== record.toLowerCase()) continue
        return [recordOf({ domain, selector }, publicKey).value]
      }
    }
    const { lookUp } = this.#options
    if (lookUp === undefined) throw new Error(`nobody to ask for ${record}`)
    return await lookUp(record)
  }

  #isOwn({ domain, selector }: PresentSignature): boolean {
    const keys = this.#domains.get(domain)?.keys ?? []
    return keys.some((key) => key.selector.toLowerCase() === selector)
  }

  async #signatures({ domain, header }: Author, chosen: SignedFields, bodyHash: string): Promise<string> {
    const { now = Date.now } = this.#options
    const signedAt = Math.floor(now() / 1_000)
    const content = {
      domain: domain.domain,
      names: chosen.names,
      lines: chosen.fields.map(({ start, end }) =>
        Buffer.from(header.buffer, header.byteOffset + start, end - start),
      ),
      bodyHash,
      signedAt,
      expiresAt: domain.expireMs === null ? null : signedAt + Math.ceil(domain.expireMs / 1_000),
    }
    const made = await Promise.all(domain.keys.map((key) => signatureField(content, key)))
    return made.join('')
  }
}

/** Of several, these are read to learn whether one is ours; a hostile message has a hundred thousand. */
const mostFromFields = 10

/** A message that we sign, and for whom. */
interface Author extends ReadMessage {
  /** Of the author's address. */
  readonly name: string
  readonly domain: SigningDomain
}

/** A message of a domain that has keys; `null`: of which one is not said. */
interface Unsignable {
  readonly message: Message
  readonly domain: SigningDomain | null
}

/** What is no header is nobody's. */
function fieldsOf(header: Uint8Array): readonly Field[] {
  try {
    return parseHeader(header).fields
  } catch (error) {
    if (error instanceof MessageError) return []
    throw error
  }
}
