/**
 * Which header fields a signature covers (RFC 6376 §5.4). One rule: what decides what a reader sees is signed once more
 * often than it occurs, so that whoever has the signed message cannot add one; what is rewritten on the way never is.
 */
import type { Field } from '../message-header.ts'

/**
 * Signed as often as they occur and once more: from whom, to whom, what about, when, and how the body is to be read.
 * Cc and Reply-To stand here because readers act on them as on To and From.
 */
const oversigned = [
  'From',
  'Reply-To',
  'To',
  'Cc',
  'Subject',
  'Date',
  'Message-ID',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
] as const

/** Signed where they occur. */
const signedIfPresent = [
  'Sender',
  'In-Reply-To',
  'References',
  'Content-ID',
  'Content-Description',
  'Content-Disposition',
  'Auto-Submitted',
  'List-Id',
  'List-Help',
  'List-Subscribe',
  'List-Post',
  'List-Owner',
  'List-Archive',
  'Feedback-ID',
] as const

const oversignedNames: ReadonlySet<string> = new Set(oversigned.map((name) => name.toLowerCase()))

/** Names to sign, each once, From first. */
export type FieldChoice = ReadonlyMap<string, { readonly name: string; readonly isOversigned: boolean }>

/** A choice made once. @param wanted default: the usual names */
export function fieldChoice(wanted: readonly string[] = [...oversigned, ...signedIfPresent]): FieldChoice {
  return new Map(
    ['From', ...wanted].map((name) => {
      const key = name.toLowerCase()
      return [key, { name, isOversigned: oversignedNames.has(key) }]
    }),
  )
}

/** What a signature covers. */
export interface SignedFields {
  /** For h=, in the order of hashing; a name that stands there without a field is one that must not come. */
  readonly names: readonly string[]
  /** Those that there are, in the same order. */
  readonly fields: readonly Field[]
}

/** More than mail has; h= names each of them, and a hostile header has a hundred thousand. */
const mostFields = 500

/** Chooses from a header; `null` when there are too many. Of several fields of one name the lowest comes first (RFC 6376 §5.4.2). */
export function chooseFields(fields: readonly Field[], choice: FieldChoice): SignedFields | null {
  const names: string[] = []
  const chosen: Field[] = []
  const present = new Map<string, Field[]>()
  for (const field of fields) {
    if (!choice.has(field.name)) continue
    const others = present.get(field.name)
    if (others === undefined) present.set(field.name, [field])
    else others.push(field)
  }
  for (const [key, { name, isOversigned }] of choice) {
    for (const field of present.get(key)?.reverse() ?? []) {
      chosen.push(field)
      names.push(name)
    }
    if (isOversigned) names.push(name)
  }
  return chosen.length > mostFields ? null : { names, fields: chosen }
}
