/**
 * What the sandbox's name server knows: names and their records, and the failures it plays. One rule: a name that is
 * not in the zone does not exist, unless something below it does (RFC 8020 §2).
 */

/** How a name server can fail: an answer SERVFAIL, or none at all. */
export type ZoneFailure = 'servfail' | 'silence'

/** The record types that the sandbox holds; any other gets an empty answer. */
export type ZoneType = 'A' | 'AAAA' | 'MX' | 'CNAME' | 'TXT' | 'PTR' | 'SOA'

/** One name's records. */
export interface ZoneEntry {
  readonly mx?: readonly { readonly preference: number; readonly host: string }[]
  readonly a?: readonly string[]
  readonly aaaa?: readonly string[]
  readonly cname?: string
  /** Each a whole text, of any length. */
  readonly txt?: readonly string[]
  readonly ptr?: readonly string[]
  /** Has an SOA record, whose answer comes as a validating resolver's would: signed, valid now, with the AD bit. */
  readonly signed?: true
  /** Instead of an answer; for the types in `failingTypes`, all without it. */
  readonly failure?: ZoneFailure
  readonly failingTypes?: readonly ZoneType[]
}

/** Lower-case names without the final dot; `*.hosted.test` stands for every name right below `hosted.test`. */
export type Zone = ReadonlyMap<string, ZoneEntry>

/** One record as it goes into an answer. */
export type ZoneRecord =
  | { readonly name: string; readonly type: 'A' | 'AAAA' | 'CNAME' | 'PTR'; readonly data: string }
  | { readonly name: string; readonly type: 'TXT'; readonly data: string[] }
  | {
      readonly name: string
      readonly type: 'MX'
      readonly data: { readonly preference: number; readonly exchange: string }
    }

/** What the zone says to a question; `records` empty is NODATA. */
export type ZoneAnswer =
  | { readonly kind: 'records'; readonly records: readonly ZoneRecord[] }
  | { readonly kind: 'signed' }
  | { readonly kind: 'no-domain' }
  | { readonly kind: 'servfail' }
  | { readonly kind: 'silence' }

/** The longest chain of aliases followed, as resolvers limit it. */
const longestChain = 8

const findEntry = (zone: Zone, name: string): ZoneEntry | undefined => {
  const entry = zone.get(name) ?? zone.get(name.replace(/^[^.]*/, '*'))
  if (entry !== undefined) return entry
  for (const known of zone.keys()) if (known.endsWith(`.${name}`)) return {}
  return undefined
}

const recordsOf = (name: string, entry: ZoneEntry, type: string): readonly ZoneRecord[] => {
  if (type === 'A') return (entry.a ?? []).map((data) => ({ name, type, data }))
  if (type === 'AAAA') return (entry.aaaa ?? []).map((data) => ({ name, type, data }))
  if (type === 'PTR') return (entry.ptr ?? []).map((data) => ({ name, type, data }))
  if (type === 'TXT') return (entry.txt ?? []).map((text) => ({ name, type, data: characterStrings(text) }))
  if (type !== 'MX') return []
  return (entry.mx ?? []).map(({ preference, host }) => ({
    name,
    type,
    // RFC 7505 §3: the null MX names the root.
    data: { preference, exchange: host === '' ? '.' : host },
  }))
}

/** RFC 1035 §3.3: a character-string holds 255 octets at most. */
const characterStrings = (text: string): string[] => text.match(/.{1,255}/gs) ?? ['']

const failureOf = (entry: ZoneEntry, type: string): ZoneFailure | undefined =>
  entry.failingTypes === undefined || entry.failingTypes.some((failing) => failing === type)
    ? entry.failure
    : undefined

/** Looks a question up; aliases are followed and stand before the records they lead to (RFC 1034 §4.3.2). */
export const lookUp = (
  zone: Zone,
  question: { readonly name: string; readonly type: string },
): ZoneAnswer => {
  let name = question.name.toLowerCase().replace(/\.$/, '')
  const records: ZoneRecord[] = []
  for (let links = 0; links <= longestChain; links += 1) {
    const entry = findEntry(zone, name)
    if (entry === undefined) return { kind: 'no-domain' }
    const failure = failureOf(entry, question.type)
    if (failure !== undefined) return { kind: failure }
    if (entry.signed && question.type === 'SOA') return { kind: 'signed' }
    if (entry.cname === undefined) {
      records.push(...recordsOf(name, entry, question.type))
      return { kind: 'records', records }
    }
    records.push({ name, type: 'CNAME', data: entry.cname })
    if (question.type === 'CNAME') return { kind: 'records', records }
    name = entry.cname
  }
  return { kind: 'servfail' }
}
