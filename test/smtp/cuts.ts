/** Ways to cut octets as a network might. */
import fc from 'fast-check'

/** The octets one at a time. */
export function octetByOctet(octets: Uint8Array): Uint8Array[] {
  return Array.from(octets, (octet) => Uint8Array.of(octet))
}

/** The octets in two pieces, once for every place to cut. */
export function* everyCut(octets: Uint8Array): Generator<Uint8Array[]> {
  for (let at = 1; at < octets.length; at++) yield [octets.subarray(0, at), octets.subarray(at)]
}

/** The octets in any number of pieces. */
export function anyCuts(octets: Uint8Array): fc.Arbitrary<Uint8Array[]> {
  return fc.uniqueArray(fc.nat({ max: octets.length }), { maxLength: 8 }).map((places) => {
    const edges = [0, ...places.toSorted((a, b) => a - b), octets.length]
    return edges.slice(1).map((edge, index) => octets.subarray(edges[index] ?? 0, edge))
  })
}
