/** A resolver that is a zone of the sandbox: all record types, and the failures that a zone can play. */
import { DnsError, type RecordResolver } from '../../src/dns/resolver.ts'
import { lookUp, type Zone, type ZoneEntry } from '../../src/sandbox/zone.ts'

/** @param records by lower-case name without the final dot */
export function zoneResolver(records: Readonly<Record<string, ZoneEntry>>): RecordResolver {
  const zone: Zone = new Map(Object.entries(records))

  async function ask<T>(type: string, name: string, signal?: AbortSignal): Promise<readonly T[]> {
    signal?.throwIfAborted()
    const answer = lookUp(zone, { type, name })
    if (answer.kind === 'no-domain') throw new DnsError('no-domain', 'ENOTFOUND', `${name} does not exist`)
    if (answer.kind === 'servfail') throw new DnsError('temporary', 'ESERVFAIL', `${type} ${name} failed`)
    if (answer.kind !== 'records') throw new DnsError('temporary', 'ETIMEOUT', `${type} ${name}: silence`)
    const found = answer.records.filter((record) => record.type === type)
    if (found.length === 0) throw new DnsError('no-records', 'ENODATA', `${name} has no ${type} record`)
    return found.map(({ data }) => data as T)
  }

  return {
    resolve4: (name, { signal } = {}) => ask('A', name, signal),
    resolve6: (name, { signal } = {}) => ask('AAAA', name, signal),
    resolveTxt: (name, { signal } = {}) => ask('TXT', name, signal),
    resolvePtr: (name, { signal } = {}) => ask('PTR', name, signal),
    resolveCname: (name, { signal } = {}) => ask('CNAME', name, signal),
    resolveMx: async (name, { signal } = {}) => {
      const found = await ask<{ preference: number; exchange: string }>('MX', name, signal)
      return found.map(({ preference, exchange }) => ({ preference, host: exchange.replace(/\.$/, '') }))
    },
  }
}
