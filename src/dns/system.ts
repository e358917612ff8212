/**
 * The resolver of this host, or of named servers: `node:dns`, which is c-ares, behind the seam.
 * One rule: every lookup ends within `timeoutMs` of its being asked, as records that can be used or as a `DnsError`.
 *
 * Measured with c-ares 1.34 (Node 24), and the reason for what is done here:
 * - an alias whose own name lacks the records is an empty list, not `ENODATA`;
 * - an answer that comes after its try has ended is thrown away, so each try gets a long time;
 * - of more than 256 queries asked at once the rest is lost in the socket's buffer and times out.
 */
import { promises as dns } from 'node:dns'
import pLimit from 'p-limit'
import { parseHostName } from './host-name.ts'
import { DnsError, type MxRecord, type RecordResolver } from './resolver.ts'
import { unlessAborted, within } from './wait.ts'

/** Half of what c-ares can have open without losing answers. */
const maxQueriesAtOnce = 128

/** A lost datagram is asked for twice more; c-ares' own default is four tries. */
const triesPerServer = 3

/** The largest lists seen in the wild have a few dozen; the rest of a longer one is never dialled anyway. */
const maxRecords = 100

/** What `createSystemResolver` is told. */
export interface SystemResolverOptions {
  /** Name servers as `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1` or `[2001:db8::1]:53`. Default: the system's. */
  readonly servers?: readonly string[]
  /** Milliseconds for one lookup, all tries and servers together, once it is asked (see `maxQueriesAtOnce`). */
  readonly timeoutMs: number
}

type RecordType = 'MX' | 'A' | 'AAAA' | 'TXT' | 'PTR' | 'CNAME'

/**
 * The seam over `node:dns`. Nothing is remembered: put `createCachingResolver` over it.
 * @throws {TypeError} for a server that is no IP address, or a time limit that is no positive number.
 */
export function createSystemResolver(options: SystemResolverOptions): RecordResolver {
  const resolver = openChannel(options)
  const slots = pLimit(maxQueriesAtOnce)

  async function ask<T>(
    type: RecordType,
    name: string,
    query: () => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    const late = () =>
      new DnsError('temporary', 'ETIMEOUT', `No name server answered for ${type} ${name} in time`)
    const records = await within(query(), options.timeoutMs, late).catch((error: unknown) => {
      throw asDnsError(error, type, name)
    })
    if (records.length === 0) throw noRecords(type, name)
    return records
  }

  function lookUp<T>(
    type: RecordType,
    name: string,
    query: () => Promise<readonly T[]>,
    signal: AbortSignal | undefined,
  ): Promise<readonly T[]> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    return unlessAborted(slots(ask<T>, type, name, query), signal)
  }

  return {
    resolveMx: async (domain, { signal } = {}) => {
      const records = await lookUp('MX', domain, () => resolver.resolveMx(domain), signal)
      return usableExchangers(domain, records)
    },
    resolve4: async (host, { signal } = {}) =>
      (await lookUp('A', host, () => resolver.resolve4(host), signal)).slice(0, maxRecords),
    resolve6: async (host, { signal } = {}) =>
      (await lookUp('AAAA', host, () => resolver.resolve6(host), signal)).slice(0, maxRecords),
    resolveTxt: async (name, { signal } = {}) =>
      (await lookUp('TXT', name, () => resolver.resolveTxt(name), signal)).slice(0, maxRecords),
    resolvePtr: async (name, { signal } = {}) =>
      usableNames('PTR', name, await lookUp('PTR', name, () => resolver.resolvePtr(name), signal)),
    resolveCname: async (name, { signal } = {}) =>
      usableNames('CNAME', name, await lookUp('CNAME', name, () => resolver.resolveCname(name), signal)),
  }
}

/** The name servers that are asked when none is named; as `SystemResolverOptions.servers`. */
export function systemServers(): readonly string[] {
  return new dns.Resolver().getServers()
}

function openChannel({ servers = [], timeoutMs }: SystemResolverOptions): dns.Resolver {
  if (!(timeoutMs > 0))
    throw new TypeError(`Expected \`timeoutMs\` to be a positive number, got \`${timeoutMs}\``)
  const count = servers.length || new dns.Resolver().getServers().length || 1
  // Tries of equal length (maxTimeout), all of them together no longer than the limit: c-ares then ends by itself.
  const perTry = Math.max(1, Math.floor(timeoutMs / (triesPerServer * count)))
  const resolver = new dns.Resolver({ timeout: perTry, maxTimeout: perTry, tries: triesPerServer })
  if (servers.length > 0) {
    for (const server of servers) checkServer(server)
    resolver.setServers(servers)
  }
  return resolver
}

/** One at a time, so that the complaint names the culprit. */
function checkServer(server: string): void {
  try {
    new dns.Resolver().setServers([server])
  } catch (cause) {
    const forms = '`192.0.2.1`, `192.0.2.1:53`, `2001:db8::1` or `[2001:db8::1]:53`'
    throw new TypeError(`Expected a DNS server to be an IP address as in ${forms}, got \`${server}\``, {
      cause,
    })
  }
}

/** `EBADNAME` is c-ares' own: a name with an empty or over-long label, which therefore cannot exist. */
const kinds: Readonly<Record<string, DnsError['kind']>> = {
  ENOTFOUND: 'no-domain',
  EBADNAME: 'no-domain',
  ENODATA: 'no-records',
}

function asDnsError(error: unknown, type: RecordType, name: string): DnsError {
  if (error instanceof DnsError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN'
  const kind = kinds[code] ?? 'temporary'
  if (kind === 'no-records') return noRecords(type, name, error)
  const words =
    kind === 'no-domain' ? `The domain ${name} does not exist` : `The lookup of ${type} ${name} failed`
  return new DnsError(kind, code, `${words} (${code})`, { cause: error })
}

function noRecords(type: RecordType, name: string, cause?: unknown): DnsError {
  return new DnsError('no-records', 'ENODATA', `${name} has no ${type} record`, { cause })
}

function usableNames(type: RecordType, name: string, answer: readonly string[]): readonly string[] {
  const names = answer.flatMap((text) => parseHostName(text) || [])
  if (names.length === 0)
    throw new DnsError('temporary', 'EBADRESP', `No ${type} record of ${name} holds a possible name`)
  return names.slice(0, maxRecords)
}

function usableExchangers(
  domain: string,
  answer: readonly { exchange: string; priority: number }[],
): readonly MxRecord[] {
  const records = answer.flatMap(({ exchange, priority }) => {
    const host = parseHostName(exchange)
    return host === null ? [] : [{ host, preference: priority }]
  })
  // RFC 5321 §5.1: exchangers that cannot be used are an error, never "no MX", which would fall back to the domain.
  if (records.length === 0) {
    throw new DnsError('temporary', 'EBADRESP', `No MX record of ${domain} names a possible host`)
  }
  return records.sort((a, b) => a.preference - b.preference).slice(0, maxRecords)
}
