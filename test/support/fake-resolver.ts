/**
 * A resolver that is a map of records. A name that stands in none of the maps does not exist; a name that stands
 * in another map only has no records of the type asked for.
 */
import { DnsError, type MxRecord, type Resolver } from '../../src/dns/resolver.ts'

/** Records by name, names in lower case without the final dot. */
export interface FakeRecords {
  /** `[preference, host]` pairs; a null MX is `[[0, '']]`. */
  readonly mx?: Readonly<Record<string, readonly (readonly [preference: number, host: string])[]>>
  readonly a?: Readonly<Record<string, readonly string[]>>
  readonly aaaa?: Readonly<Record<string, readonly string[]>>
  /** Questions whose name servers fail, as `'MX example.test'`, `'A mx1.example.test'`, `'AAAA …'`. */
  readonly fails?: readonly string[]
}

/** A resolver that counts. */
export interface FakeResolver extends Resolver {
  /** Every question in the order asked: `'MX example.test'`. */
  readonly queries: readonly string[]
}

/** @example const resolver = fakeResolver({ mx: { 'example.test': [[10, 'mx1.example.test']] }, a: { 'mx1.example.test': ['192.0.2.1'] } }) */
export function fakeResolver(records: FakeRecords): FakeResolver {
  const queries: string[] = []
  const names = new Set([records.mx, records.a, records.aaaa].flatMap((map) => Object.keys(map ?? {})))
  for (const failing of records.fails ?? []) names.add(failing.slice(failing.indexOf(' ') + 1))

  async function answer<T>(
    type: string,
    name: string,
    map: Readonly<Record<string, readonly T[]>> = {},
    signal?: AbortSignal,
  ): Promise<readonly T[]> {
    signal?.throwIfAborted()
    const question = `${type} ${name}`
    queries.push(question)
    if (records.fails?.includes(question))
      throw new DnsError('temporary', 'ESERVFAIL', `SERVFAIL for ${question}`)
    const found = map[name]
    if (found !== undefined && found.length > 0) return found
    if (names.has(name)) throw new DnsError('no-records', 'ENODATA', `${name} has no ${type} record`)
    throw new DnsError('no-domain', 'ENOTFOUND', `The domain ${name} does not exist`)
  }

  const exchangers = Object.fromEntries(
    Object.entries(records.mx ?? {}).map(([name, pairs]): [string, readonly MxRecord[]] => [
      name,
      pairs.map(([preference, host]) => ({ host, preference })),
    ]),
  )

  return {
    queries,
    resolveMx: (name, { signal } = {}) => answer('MX', name, exchangers, signal),
    resolve4: (name, { signal } = {}) => answer('A', name, records.a, signal),
    resolve6: (name, { signal } = {}) => answer('AAAA', name, records.aaaa, signal),
  }
}
