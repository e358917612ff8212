/**
 * Addresses as every program of this host finds them: /etc/hosts, DNS, whatever nsswitch.conf(5) says (getaddrinfo).
 * One rule: for whom somebody calls by name only. Mail goes where DNS says (RFC 5321 §5.1), whatever a hosts file holds.
 */
import { promises as dns, type LookupAddress, type LookupAllOptions } from 'node:dns'
import { DnsError, type Resolver } from './resolver.ts'
import { unlessAborted, within } from './wait.ts'

/** What a `HostResolver` is told. */
export interface HostResolverOptions {
  /** Milliseconds for one lookup. */
  readonly timeoutMs: number
  /** Default: the system's. */
  readonly lookUp?: (host: string, options: LookupAllOptions) => Promise<LookupAddress[]>
}

/** Knows addresses only. */
export type HostResolver = Pick<Resolver, 'resolve4' | 'resolve6'>

/** Resolvers reject as the seam says; a lookup that is given up goes on in its thread, and nobody hears of it. */
export function createHostResolver({ timeoutMs, lookUp = dns.lookup }: HostResolverOptions): HostResolver {
  const find = async (host: string, family: 4 | 6): Promise<readonly string[]> => {
    const late = () => new DnsError('temporary', 'ETIMEOUT', `The lookup of ${host} did not end in time`)
    const found = await within(lookUp(host, { family, all: true }), timeoutMs, late).catch(
      (error: unknown) => {
        throw asDnsError(error, host)
      },
    )
    if (found.length === 0) throw new DnsError('no-records', 'ENODATA', `${host} has no address here`)
    return found.map(({ address }) => address)
  }
  return {
    resolve4: (host, { signal } = {}) => unlessAborted(find(host, 4), signal),
    resolve6: (host, { signal } = {}) => unlessAborted(find(host, 6), signal),
  }
}

function asDnsError(error: unknown, host: string): DnsError {
  if (error instanceof DnsError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN'
  // EAI_NONAME and EAI_NODATA are both ENOTFOUND here; whether the name exists is not told.
  return code === 'ENOTFOUND'
    ? new DnsError('no-records', code, `${host} has no address here`, { cause: error })
    : new DnsError('temporary', code, `The lookup of ${host} failed (${code})`, { cause: error })
}
