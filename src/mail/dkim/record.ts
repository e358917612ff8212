/**
 * The DNS record of a key (RFC 6376 §3.6.1, RFC 8463 §4): what it has to be, and whether what DNS says is that.
 * One rule: nothing here asks the DNS; whoever does hands over what it said.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { splitTags } from './tags.ts'

/** A TXT record, as a web form asks for it. */
export interface KeyRecord {
  /** `mx1._domainkey.example.org`, without a final dot. */
  readonly name: string
  readonly value: string
}

/** What DNS says of a key, in words for people. */
export interface RecordFinding {
  /** `matches`: receivers can verify with it. `missing`: there is none. `wrong`: there is, and they cannot. */
  readonly kind: 'matches' | 'missing' | 'wrong'
  /** A whole sentence without the name of the record. */
  readonly text: string
  /** Whole sentences about a record that matches; empty when there is nothing to add. */
  readonly remarks: readonly string[]
}

/** The longest character-string of a TXT record (RFC 1035 §3.3.14). */
const stringLimitOctets = 255

/** `SELECTOR._domainkey.DOMAIN` (RFC 6376 §3.6.2.1). */
export function recordName(domain: string, selector: string): string {
  return `${selector}._domainkey.${domain}`
}

/** The record that lets receivers verify what the key signs. */
export function recordOf(
  { domain, selector }: { readonly domain: string; readonly selector: string },
  publicKey: KeyObject,
): KeyRecord {
  const { type, octets } = published(publicKey)
  const value = `v=DKIM1; k=${type}; p=${octets.toString('base64')}`
  return { name: recordName(domain, selector), value }
}

/** The record as a line of a zone file; cut into strings, which belong together without anything between. */
export function zoneLine({ name, value }: KeyRecord): string {
  const strings = value.match(new RegExp(`.{1,${stringLimitOctets}}`, 'g')) ?? []
  const quoted = strings.map((string) => `"${string}"`)
  return `${name}. IN TXT ${quoted.length > 1 ? `( ${quoted.join(' ')} )` : quoted.join('')}`
}

/**
 * Holds what DNS says against a key.
 * @param records the TXT records of the name, the strings of each joined; empty when there are none
 */
export function compareRecord(records: readonly string[], publicKey: KeyObject): RecordFinding {
  const [record, ...others] = records
  if (record === undefined) return finding('missing', 'There is no TXT record.')
  // RFC 6376 §3.6.2.2: the results of several are undefined.
  if (others.length > 0)
    return finding('wrong', `There are ${records.length} TXT records; receivers take any one.`)
  const tags = splitTags(record)
  if (tags === null) return finding('wrong', `It is no list of tags: ${shown(record)}`)
  const problem = problemOf(tags, record) ?? keyProblem(tags, publicKey)
  if (problem !== null) return finding('wrong', problem)
  return { kind: 'matches', text: 'It is the record of this key.', remarks: remarksOn(tags) }
}

type Tags = ReadonlyMap<string, string>

function problemOf(tags: Tags, record: string): string | null {
  const version = tags.get('v')
  if (version !== undefined && (version !== 'DKIM1' || [...tags.keys()][0] !== 'v')) {
    return `It must begin with v=DKIM1: ${shown(record)}`
  }
  const p = tags.get('p')
  if (p === undefined) return `It has no key (p=): ${shown(record)}`
  if (p === '') return 'It says that the key is revoked (an empty p=).'
  if (!allows(tags.get('h'), 'sha256')) return `It forbids SHA-256 (h=${tags.get('h')}).`
  if (!allows(tags.get('s'), 'email')) return `It is not for mail (s=${tags.get('s')}).`
  return null
}

/** A list with colons; `*` and its absence allow everything. */
function allows(list: string | undefined, wanted: string): boolean {
  if (list === undefined) return true
  const words = list.split(':').map((word) => word.trim().toLowerCase())
  return words.includes(wanted) || (wanted === 'email' && words.includes('*'))
}

function keyProblem(tags: Tags, publicKey: KeyObject): string | null {
  const { type, octets } = published(publicKey)
  const named = (tags.get('k') ?? 'rsa').toLowerCase()
  if (named !== type) return `It is for a key of type ${shown(named)} (k=), and this one is ${type}.`
  const found = Buffer.from((tags.get('p') ?? '').replace(/\s+/g, ''), 'base64')
  if (found.equals(octets)) return null
  return isOfKey(found, publicKey) ? null : 'It is the record of another key.'
}

/** RFC 6376 §3.6.1 has an RSAPublicKey in p=, everybody publishes it wrapped in a SubjectPublicKeyInfo, and both are read. */
function isOfKey(found: Buffer, publicKey: KeyObject): boolean {
  if (publicKey.asymmetricKeyType !== 'rsa') return false
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      return createPublicKey({ key: found, format: 'der', type }).equals(publicKey)
    } catch {
      // The other one, or neither.
    }
  }
  return false
}

function remarksOn(tags: Tags): readonly string[] {
  const flags = (tags.get('t') ?? '').split(':').map((flag) => flag.trim())
  return flags.includes('y')
    ? ['It says that DKIM is being tested (t=y): receivers may ignore the signature.']
    : []
}

function published(publicKey: KeyObject): { readonly type: 'rsa' | 'ed25519'; readonly octets: Buffer } {
  const octets = publicKey.export({ format: 'der', type: 'spki' })
  // RFC 8463 §4: the 32 octets themselves, which end the SubjectPublicKeyInfo.
  if (publicKey.asymmetricKeyType === 'ed25519') return { type: 'ed25519', octets: octets.subarray(-32) }
  return { type: 'rsa', octets }
}

function finding(kind: RecordFinding['kind'], text: string): RecordFinding {
  return { kind, text, remarks: [] }
}

/** What strangers wrote, cut and without what a terminal would obey. */
function shown(text: string): string {
  return JSON.stringify(text.length <= 100 ? text : `${text.slice(0, 100)}…`)
}
