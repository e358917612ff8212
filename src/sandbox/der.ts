/**
 * Writes DER (ITU-T X.690), just what a test certificate is made of. One rule: every function gives the octets of
 * one complete value, so that values nest by being passed to each other.
 */

const encodeLength = (octets: number): number[] => {
  if (octets < 0x80) return [octets]
  const digits: number[] = []
  for (let rest = octets; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256)
  return [0x80 | digits.length, ...digits]
}

/** A value of any tag around its contents. */
export const value = (tag: number, ...contents: readonly Uint8Array[]): Uint8Array => {
  const content = Buffer.concat(contents)
  return Buffer.concat([Uint8Array.of(tag, ...encodeLength(content.length)), content])
}

/** SEQUENCE. */
export const sequence = (...contents: readonly Uint8Array[]): Uint8Array => value(0x30, ...contents)

/** SET; DER wants more than one member sorted, which the caller sees to. */
export const set = (...contents: readonly Uint8Array[]): Uint8Array => value(0x31, ...contents)

/** INTEGER from big-endian octets; a leading zero keeps a high first bit from meaning a negative number. */
export const integer = (octets: Uint8Array): Uint8Array =>
  value(0x02, (octets[0] ?? 0) >= 0x80 ? Buffer.concat([Uint8Array.of(0), octets]) : octets)

/** BOOLEAN TRUE; DER leaves out what equals its default, so FALSE is never written. */
export const yes = (): Uint8Array => value(0x01, Uint8Array.of(0xff))

/** BIT STRING of whole octets. */
export const bitString = (octets: Uint8Array): Uint8Array => value(0x03, Uint8Array.of(0), octets)

/** OCTET STRING. */
export const octetString = (octets: Uint8Array): Uint8Array => value(0x04, octets)

/** UTF8String. */
export const utf8String = (text: string): Uint8Array => value(0x0c, Buffer.from(text))

/** OBJECT IDENTIFIER from its dotted form; the first two arcs share an octet, the others are base 128. */
export const objectIdentifier = (dotted: string): Uint8Array => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [first * 40 + second]
  for (const arc of rest) {
    const digits = [arc % 128]
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) {
      digits.unshift(0x80 | (high % 128))
    }
    octets.push(...digits)
  }
  return value(0x06, Uint8Array.from(octets))
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
export const time = (date: Date): Uint8Array => {
  const digits = `${date
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/\D/g, '')}Z`
  return date.getUTCFullYear() < 2050
    ? value(0x17, Buffer.from(digits.slice(2)))
    : value(0x18, Buffer.from(digits))
}
