/**
 * Names that providers give to whole ranges: `dyn-192-0-2-1.pool.example.net`. Receivers take a host with such a name for
 * somebody's home computer.
 */
import { reversedLabels } from '../dns/reverse-name.ts'

/** Words for ranges whose hosts come and go; `static` and `customer` are not among them, as some name their servers so. */
const rangeWords =
  /(?:^|[.-])(?:dyn|dynamic|[avsx]?dsl|pool|dhcp|dial-?(?:up|in)|cable|pppoe?|broadband|residential|unassigned)(?:[.-]|\d|$)/

/** Does the name tell its own address, or a range? */
export function isGenericName(name: string, ip: string): boolean {
  return rangeWords.test(name) || (ip.includes(':') ? holdsIpv6(name, ip) : holdsIpv4(name, ip))
}

/** All four numbers, in any order and with leading zeros; or all of it in hexadecimal. */
function holdsIpv4(name: string, ip: string): boolean {
  const octets = ip.split('.').map(Number)
  const hex = octets.map((octet) => octet.toString(16).padStart(2, '0')).join('')
  if (name.includes(hex)) return true
  const padded = octets.map((octet) => String(octet).padStart(3, '0'))
  if (name.includes(padded.join('')) || name.includes(padded.toReversed().join(''))) return true
  const numbers = (name.match(/\d+/g) ?? []).map(Number)
  return octets.every((octet) => {
    const at = numbers.indexOf(octet)
    if (at >= 0) numbers.splice(at, 1)
    return at >= 0
  })
}

/** Half of its nibbles in a row, either way round, whatever stands between them. */
function holdsIpv6(name: string, ip: string): boolean {
  const backwards = reversedLabels(ip).replaceAll('.', '')
  const forwards = [...backwards].reverse().join('')
  const bare = name.replace(/[^0-9a-f]/g, '')
  return [backwards, forwards].some(
    (nibbles) => bare.includes(nibbles.slice(0, 16)) || bare.includes(nibbles.slice(16)),
  )
}
