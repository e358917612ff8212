/** Keys held against what DNS says of them. One rule: a name server that does not answer is no verdict. */
import { DnsError, type RecordResolver } from '../../dns/resolver.ts'
import { readKey } from '../../mail/dkim/key.ts'
import { compareRecord, type RecordFinding, recordOf } from '../../mail/dkim/record.ts'

/** A key and its names. */
export interface KeyToCheck {
  readonly domain: string
  readonly selector: string
  readonly keyFile: string
}

/** What was found, as `--json` prints it but for the warnings. */
export interface CheckedKey {
  readonly domain: string
  readonly selector: string
  readonly keyFile: string
  readonly algorithm: 'rsa' | 'ed25519'
  /** The name of the TXT record. */
  readonly record: string
  /** `unknown`: no name server answered. */
  readonly kind: RecordFinding['kind'] | 'unknown'
  readonly text: string
  readonly remarks: readonly string[]
  /** The value the record should have. */
  readonly expected: string
  readonly found: readonly string[]
  /** About the file, not the record. */
  readonly warnings: readonly string[]
}

/** Checks keys, in their order. @throws {ConfigError} one cannot be read */
export async function checkKeys(
  keys: readonly KeyToCheck[],
  resolver: Pick<RecordResolver, 'resolveTxt'>,
): Promise<readonly CheckedKey[]> {
  const checked: CheckedKey[] = []
  for (const key of keys) checked.push(await checkKey(key, resolver))
  return checked
}

async function checkKey(
  named: KeyToCheck,
  resolver: Pick<RecordResolver, 'resolveTxt'>,
): Promise<CheckedKey> {
  const { key, warnings } = await readKey(named)
  const { name, value } = recordOf(named, key.publicKey)
  const common = { ...named, algorithm: key.algorithm, record: name, expected: value, warnings }
  try {
    const found = await texts(name, resolver)
    return { ...common, ...compareRecord(found, key.publicKey), found }
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    return { ...common, kind: 'unknown', text: `${error.message}.`, remarks: [], found: [] }
  }
}

async function texts(name: string, resolver: Pick<RecordResolver, 'resolveTxt'>): Promise<readonly string[]> {
  try {
    return (await resolver.resolveTxt(name)).map((strings) => strings.join(''))
  } catch (error) {
    if (error instanceof DnsError && error.kind !== 'temporary') return []
    throw error
  }
}
