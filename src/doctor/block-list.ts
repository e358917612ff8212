/**
 * Block lists in DNS (RFC 5782), and the three answers that must never be taken for each other: listed, not listed, and
 * "we do not answer you". One rule: silence about us counts as "not listed" only from a list that knows its test entry.
 */
import { parseIp } from '../route/ip.ts'
import type { Answer } from './questions.ts'

/** What a list holds. */
export type BlockListKind = 'address' | 'domain'

/** A list, and what was asked of it. */
export interface BlockListObservation {
  readonly list: string
  readonly kind: BlockListKind
  /** The entry that every list has (RFC 5782 §5). */
  readonly test: Answer
  readonly entries: readonly BlockListEntry[]
}

/** One address or domain of ours. */
export interface BlockListEntry {
  readonly entry: string
  readonly a: Answer
  /** The reason; asked for when listed or refused. */
  readonly txt: Answer | null
}

/**
 * - `listed` · `not-listed`
 * - `refused`: the list says, or shows, that it does not answer this name server.
 * - `unanswered`: its name servers failed · `strange`: an answer that no block list gives.
 */
export type BlockListVerdict = 'listed' | 'not-listed' | 'refused' | 'unanswered' | 'strange'

/** RFC 5782 §5 names TEST for domains; these lists have another. */
const testDomains: Readonly<Record<string, string>> = {
  'dbl.spamhaus.org': 'dbltest.com',
  'multi.surbl.org': 'surbl-org-permanent-test-point.com',
}

/** RFC 5782 §5: 127.0.0.2 is on every list of addresses. */
export const testAddress = '127.0.0.2'

/** The domain that is on the list. */
export function testDomain(list: string): string {
  return testDomains[list] ?? 'test'
}

/** What the list says of one entry. @param test what it says of the entry that it must have */
export function verdictOf(entry: Answer, test: Answer): BlockListVerdict {
  const codes = entry.records.map(kindOfCode)
  if (codes.includes('refusal')) return 'refused'
  if (codes.includes('listing')) return 'listed'
  if (codes.length > 0) return 'strange'
  const { failure } = entry
  if (failure?.kind === 'temporary') return failure.reason === 'EREFUSED' ? 'refused' : 'unanswered'
  // A list that says "no" to everything has shut us out, or is no more.
  const testCodes = test.records.map(kindOfCode)
  if (testCodes.includes('refusal')) return 'refused'
  if (testCodes.includes('listing')) return 'not-listed'
  if (test.failure?.kind === 'temporary') return test.failure.reason === 'EREFUSED' ? 'refused' : 'unanswered'
  return testCodes.length > 0 ? 'strange' : 'refused'
}

/**
 * RFC 5782 §2.1: a listing is an address in 127.0.0.0/8, by custom not 127.0.0.1, with which URIBL and others refuse; with
 * 127.255.255.x Spamhaus and those who follow it refuse. Anything else comes from a resolver that answers for
 * names that do not exist.
 */
function kindOfCode(text: string): 'listing' | 'refusal' | 'strange' {
  const address = parseIp(text)
  if (address?.family !== 4 || !text.startsWith('127.')) return 'strange'
  return text === '127.0.0.1' || text.startsWith('127.255.255.') ? 'refusal' : 'listing'
}

/** Spamhaus' own words for its refusals. */
const refusals: Readonly<Record<string, string>> = {
  '127.255.255.252': 'the name of the list is mistyped',
  '127.255.255.254': 'it does not answer public or open resolvers',
  '127.255.255.255': 'too many queries come from this resolver',
}

/** Why it refuses, as far as it says so; `null` when it does not. */
export function refusalReason({ records }: Answer): string | null {
  return records.flatMap((code) => refusals[code] ?? [])[0] ?? null
}
