/** Generated addresses, for properties that hold for all of them. */
import fc from 'fast-check'

const atomCharacters = [..."abcXYZ019!#$%&'*+-/=?^_`{|}~üß日😀"]
const quotedCharacters = [...atomCharacters, ...' ,;:<>@()[].', '\\"', '\\\\', '\\a']

const atom = fc
  .array(fc.constantFrom(...atomCharacters), { minLength: 1, maxLength: 6 })
  .map((list) => list.join(''))
const dotString = fc.array(atom, { minLength: 1, maxLength: 2 }).map((list) => list.join('.'))
const quotedString = fc
  .array(fc.constantFrom(...quotedCharacters), { maxLength: 12 })
  .map((list) => `"${list.join('')}"`)

const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,8}[a-z0-9_])?$/)
const name = fc
  .tuple(fc.array(label, { maxLength: 2 }), fc.constantFrom('test', 'example', 'xn--bcher-kva'))
  .map(([labels, top]) => [...labels, top].join('.'))
const ipv4 = fc.ipV4().map((ip) => `[${ip}]`)
const ipv6 = fc
  .ipV6()
  .map((ip) => URL.parse(`http://[${ip}]`)?.hostname ?? '[::1]')
  .map((host) => `[IPv6:${host.slice(1)}`)

/** Addresses in the one spelling that `parseAddress` gives them. */
export const anAddress = fc.record({
  localPart: fc.oneof(dotString, quotedString),
  domain: fc.oneof(name, ipv4, ipv6),
})

const displayName = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 12 })
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text))

/** Mailboxes with and without any display name that can be sent. */
export const aMailbox = fc.record({ name: fc.option(displayName), address: anAddress })
