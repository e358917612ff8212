/**
 * Does a message carry a valid signature of a domain already? One rule: only signatures of that domain are looked at, few
 * of them, and only that domain's keys are asked for: who hands in a message must not choose what we look up.
 */
import { Readable } from 'node:stream'
import type { Message } from '../message.ts'
import { type Field, fieldText } from '../message-header.ts'
import { recordName } from './record.ts'
import { splitTags } from './tags.ts'

/** The TXT records of a name, the strings of each joined. Rejects when there are none. */
export type LookUpTxt = (name: string) => Promise<readonly string[]>

/** A signature field and whose it is. */
export interface PresentSignature {
  readonly field: Field
  /** d=, in lower case. */
  readonly domain: string
  /** s=, in lower case. */
  readonly selector: string
}

/** More would be checked only to be disbelieved: a domain has no use for them. */
const mostChecked = 5

/** Twice the largest that mail has. Of a larger one mailauth's parser would hold the event loop for seconds. */
const mostHeaderOctets = 64 * 1024

/** The DKIM-Signature fields that can be read, in order. */
export function findSignatures(header: Uint8Array, fields: readonly Field[]): readonly PresentSignature[] {
  return fields.flatMap((field) => {
    const tags = field.name === 'dkim-signature' ? splitTags(fieldText(header, field)) : null
    const [domain, selector] = [tags?.get('d'), tags?.get('s')]
    if (domain === undefined || selector === undefined) return []
    return { field, domain: domain.toLowerCase(), selector: selector.toLowerCase() }
  })
}

/** A message and its header, read. */
export interface ReadMessage {
  readonly message: Message
  /** The header section with its blank line. */
  readonly header: Uint8Array
  readonly fields: readonly Field[]
}

/**
 * Whether one of the signatures is valid and covers the whole body.
 * @param signatures those of the domain
 */
export async function isOneValid(
  { message, header, fields }: ReadMessage,
  signatures: readonly PresentSignature[],
  lookUp: LookUpTxt,
): Promise<boolean> {
  if (header.length > mostHeaderOctets) return false
  const checked = signatures.slice(0, mostChecked)
  const kept = new Set(checked.map(({ field }) => field))
  const others = fields.filter((field) => field.name === 'dkim-signature' && !kept.has(field))
  const names = new Set(checked.map(({ domain, selector }) => recordName(domain, selector)))
  const { dkimVerify } = await import('mailauth/lib/dkim/verify.js')
  const { results } = await dkimVerify(Readable.from(withoutFields(message, header, others)), {
    resolver: async (name) => {
      if (!names.has(name.toLowerCase())) throw new Error(`nobody asked for ${name}`)
      return (await lookUp(name)).map((record) => [record])
    },
  })
  return results.some(
    ({ status, canonBodyLengthLimited }) => status.result === 'pass' && canonBodyLengthLimited !== true,
  )
}

/** The message without some fields of its header, in pieces. */
export async function* withoutFields(
  message: Message,
  header: Uint8Array,
  dropped: readonly Field[],
): AsyncGenerator<Uint8Array> {
  let from = 0
  for (const { start, end } of dropped) {
    if (start > from) yield header.subarray(from, start)
    from = end
  }
  let skip = header.length
  if (skip > from) yield header.subarray(from)
  for await (const chunk of message.open()) {
    if (chunk.length > skip) yield chunk.subarray(skip)
    skip = Math.max(0, skip - chunk.length)
  }
}
