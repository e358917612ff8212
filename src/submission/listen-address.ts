/**
 * Where to listen, and whether strangers can reach it.
 * One rule: an address that is not loopback for certain is public.
 */
import { BlockList, isIPv6 } from 'node:net'
import { ConfigError } from '../config/errors.ts'
import { isIp } from '../config/host.ts'

/** One address to listen at. */
export interface ListenAddress {
  /** Without brackets. */
  readonly ip: string
  /** 0: the system picks one. */
  readonly port: number
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4') // RFC 1122 §3.2.1.3
loopback.addAddress('::1', 'ipv6') // RFC 4291 §2.5.3

/** Whether packets to and from the address never leave this host. */
export function isLoopback(ip: string): boolean {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(ip)?.[1]
  if (mapped !== undefined) return loopback.check(mapped, 'ipv4')
  return loopback.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4')
}

/** `127.0.0.1:2525`, `[::1]:2525`. @throws {ConfigError} A name is refused: what it means may change after the check. */
export function parseListenAddress(text: string): ListenAddress {
  const [, ipv6, ipv4, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  const ip = ipv6 ?? ipv4
  const port = Number(digits)
  if (ip !== undefined && isIp(ip) && isIPv6(ip) === (ipv6 !== undefined) && port <= 65_535)
    return { ip, port }
  throw new ConfigError(
    `Expected \`submission.listen\` to hold addresses such as "127.0.0.1:2525" or "[::1]:2525", got \`${text}\``,
  )
}

/** As `parseListenAddress` reads it. */
export function formatListenAddress({ ip, port }: ListenAddress): string {
  return isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`
}
