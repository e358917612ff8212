/** One address of one exchanger. resolve-targets.ts finds them. */
import type { Exchanger } from './exchangers.ts'

/** One address of one exchanger: what a session is opened to. */
export interface Target {
  readonly exchanger: Exchanger
  readonly ip: string
  readonly family: 4 | 6
}

/**
 * The families in turn, IPv6 first (RFC 6724 §2.1, RFC 5321 §5.2), so that a family without a way out costs one try
 * only; inside a family the order given is kept, as the name server may have meant it (RFC 5321 §5.1).
 */
export function alternateFamilies<T extends { readonly family: 4 | 6 }>(
  addresses: readonly T[],
): readonly T[] {
  const v6 = addresses.filter(({ family }) => family === 6)
  const v4 = addresses.filter(({ family }) => family === 4)
  const turns = Array.from({ length: Math.max(v6.length, v4.length) }, (_, turn) => [v6[turn], v4[turn]])
  return turns.flat().filter((address) => address !== undefined)
}
