/**
 * From an exchanger to the addresses to dial (RFC 5321 §5.1, §5.2).
 * One rule: an address that DNS or an address literal named is dialled only if it is public and not our own;
 * what the operator named is the operator's choice.
 */
import type { HostResolver } from '../dns/host-resolver.ts'
import { DnsError } from '../dns/resolver.ts'
import type { Exchanger } from './exchangers.ts'
import { type IpAddress, parseBracketedIp, parseIp, specialRangeOf } from './ip.ts'
import { RouteError } from './route.ts'
import { alternateFamilies, type Target } from './targets.ts'

/** What the search for addresses depends on. */
export interface TargetOptions {
  readonly resolver: HostResolver
  readonly families: readonly (4 | 6)[]
  readonly allowLocalAddresses: boolean
  readonly ownAddresses: () => readonly string[]
}

/**
 * The addresses of an exchanger in dialling order.
 * @throws {RouteError} `no-address`, `forbidden`, `dns`, `loop`.
 */
export async function resolveTargets(
  exchanger: Exchanger,
  options: TargetOptions,
  waiting: { signal?: AbortSignal },
): Promise<readonly Target[]> {
  const found = await findAddresses(exchanger, options, waiting)
  const usable = distinct(found).filter(({ family }) => options.families.includes(family))
  if (usable.length === 0) throw noAddress(exchanger, options.families)
  const trusted = exchanger.isStatic === true || options.allowLocalAddresses
  const allowed = trusted ? usable : screen(exchanger, usable, options.ownAddresses())
  return alternateFamilies(allowed).map(({ ip, family }) => ({ exchanger, ip, family }))
}

async function findAddresses(
  exchanger: Exchanger,
  { resolver, families }: TargetOptions,
  waiting: { signal?: AbortSignal },
): Promise<readonly IpAddress[]> {
  const { host } = exchanger
  const literal = parseBracketedIp(host)
  if (literal !== null) return [literal]
  // RFC 6761 §6.3. Only in a route: an exchanger of this name that DNS gave is asked for, and its address refused.
  if (exchanger.isStatic && /^(.+\.)?localhost$/.test(host)) return localhost
  // RFC 5321 §5.1 wants a host name in an MX record. No name ends in a number (RFC 3696 §2), so there is nothing to ask.
  if (parseIp(host) !== null) {
    throw new RouteError('no-address', `The MX record names the IP address ${host} instead of a host`)
  }
  const answers = await Promise.all(families.map((family) => askAddresses(resolver, host, family, waiting)))
  const addresses = answers.flatMap((answer) => (answer instanceof DnsError ? [] : answer))
  const failed = answers.find((answer) => answer instanceof DnsError && answer.kind === 'temporary')
  // One family that fails is no matter while the other has addresses; alone it proves nothing about the host.
  if (addresses.length > 0 || !(failed instanceof DnsError)) return addresses
  throw new RouteError('dns', `The addresses of ${host} could not be looked up: ${failed.message}`, {
    cause: failed,
  })
}

const localhost: readonly IpAddress[] = [
  { ip: '::1', family: 6 },
  { ip: '127.0.0.1', family: 4 },
]

async function askAddresses(
  resolver: HostResolver,
  host: string,
  family: 4 | 6,
  waiting: { signal?: AbortSignal },
): Promise<readonly IpAddress[] | DnsError> {
  try {
    const texts = await (family === 4 ? resolver.resolve4(host, waiting) : resolver.resolve6(host, waiting))
    return texts.flatMap((text) => parseIp(text) ?? [])
  } catch (error) {
    if (error instanceof DnsError) return error
    throw error
  }
}

function distinct(addresses: readonly IpAddress[]): readonly IpAddress[] {
  return [...new Map(addresses.map((address) => [address.ip, address])).values()]
}

function noAddress({ host, implicit }: Exchanger, families: readonly (4 | 6)[]): RouteError {
  const kinds = families.length === 1 ? `IPv${families[0]} address` : 'address'
  const words = implicit ? `${host} has neither an MX record nor an ${kinds}` : `${host} has no ${kinds}`
  return new RouteError('no-address', words)
}

/** @throws {RouteError} `loop` for our own address, `forbidden` when nothing else is left. */
function screen(
  { host }: Exchanger,
  addresses: readonly IpAddress[],
  own: readonly string[],
): readonly IpAddress[] {
  const ours = addresses.find(({ ip }) => own.includes(ip))
  if (ours !== undefined)
    throw new RouteError('loop', `${host} is this host: ${ours.ip} is an address of ours`)
  const allowed = addresses.filter((address) => specialRangeOf(address) === null)
  const [first] = addresses
  if (allowed.length > 0 || first === undefined) return allowed
  const where = `${first.ip} (${specialRangeOf(first)})`
  const more = addresses.length > 1 ? ` and ${addresses.length - 1} more` : ''
  throw new RouteError('forbidden', `${host} has only addresses that mail is not sent to: ${where}${more}`)
}
