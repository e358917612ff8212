/** Sizes as people write them: `512KB`, `10MB`, `1GiB`. */

/** Text with a unit, or a number of octets. */
export type Size = string | number

// IEC 80000-13: KB and MB are powers of 1,000, KiB and MiB of 1,024.
const unitOctets: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
}

/** What to write, for messages. */
export const sizeForms = '"512KB", "10MB" or "1GiB"'

/** Octets, rounded; `null` for what is no size. A number without a unit in text is none. */
export function readSize(size: unknown): number | null {
  if (typeof size === 'number') return Number.isFinite(size) && size >= 0 ? Math.round(size) : null
  if (typeof size !== 'string') return null
  const [, count, unit] = /^(\d{1,15}(?:\.\d{1,9})?)(B|[KMG]i?B)$/.exec(size) ?? []
  return count === undefined || unit === undefined
    ? null
    : Math.round(Number(count) * (unitOctets[unit] ?? 1))
}
