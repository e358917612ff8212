/**
 * From a domain to its exchangers (RFC 5321 §5.1, RFC 7505):
 * 1. an address literal is its own exchanger, and nobody is asked;
 * 2. MX records, the root among them dropped; a root alone is a null MX;
 * 3. no MX record at all: the domain itself, preference 0;
 * 4. of these, those that mail from here may still go to: better than ourselves.
 * One rule: what exists but cannot be used is an error; only "there is no MX" leads to the domain itself.
 */
import { DnsError, type MxRecord, type Resolver } from '../dns/resolver.ts'
import type { Exchanger } from './exchangers.ts'
import { parseBracketedIp } from './ip.ts'
import { RouteError } from './route.ts'

/** What DNS said about a domain's MX. */
export type MxAnswer = readonly MxRecord[] | DnsError

/** Asks for the MX records; "no" is an answer too. Rejects when aborted, and for defects. */
export function askExchangers(
  resolver: Resolver,
  domain: string,
  options: { signal?: AbortSignal },
): Promise<MxAnswer> {
  return resolver.resolveMx(domain, options).catch((error: unknown) => {
    if (error instanceof DnsError) return error
    throw error
  })
}

/**
 * The exchangers that an answer names, best first, each host once.
 * @throws {RouteError} `no-domain`, `null-mx`, `dns`.
 */
export function exchangersOf(domain: string, answer: MxAnswer, port: number): readonly Exchanger[] {
  if (answer instanceof DnsError) return withoutRecords(domain, answer, port)
  // RFC 7505 §3: a null MX stands alone; beside others the root is a mistake, and ignored.
  const records = answer.filter(({ host }) => host !== '')
  if (records.length === 0) throw new RouteError('null-mx', `${domain} accepts no mail (null MX, RFC 7505)`)
  const best = new Map<string, Exchanger>()
  for (const { host, preference } of records.toSorted((a, b) => a.preference - b.preference)) {
    const name = host.toLowerCase()
    if (!best.has(name)) best.set(name, { host: name, preference, implicit: false, port })
  }
  return [...best.values()]
}

function withoutRecords(domain: string, error: DnsError, port: number): readonly Exchanger[] {
  switch (error.kind) {
    case 'no-records': // RFC 5321 §5.1: the host itself with preference 0, and only if there is no MX at all
      return [{ host: domain, preference: 0, implicit: true, port }]
    case 'no-domain':
      throw new RouteError('no-domain', `The domain ${domain} does not exist`, { cause: error })
    case 'temporary':
      throw new RouteError('dns', `The exchangers of ${domain} could not be looked up: ${error.message}`, {
        cause: error,
      })
    default:
      throw error.kind satisfies never
  }
}

/**
 * The exchanger that an address literal is.
 * @throws {RouteError} `no-address` for one that holds no IP address.
 */
export function exchangerOfLiteral(domain: string, port: number): Exchanger {
  const address = parseBracketedIp(domain)
  if (address === null) throw new RouteError('no-address', `${domain} holds no IP address`)
  return { host: `[${address.ip}]`, preference: 0, implicit: false, port }
}

/**
 * The exchangers better than ourselves (RFC 5321 §5.1: equal and worse ones would send the mail back to us).
 * @param ownNames those that we give in EHLO
 * @throws {RouteError} `loop` when none is left.
 */
export function betterThanOurselves(
  domain: string,
  exchangers: readonly Exchanger[],
  ownNames: ReadonlySet<string>,
): readonly Exchanger[] {
  const [ours] = exchangers
    .filter(({ host }) => ownNames.has(host))
    .sort((one, other) => one.preference - other.preference)
  if (ours === undefined) return exchangers
  const better = exchangers.filter(({ preference }) => preference < ours.preference)
  if (better.length > 0) return better
  throw new RouteError('loop', `Mail for ${domain} loops: its best exchanger is this host, ${ours.host}`)
}
