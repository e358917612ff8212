/**
 * Ids as people see them, and as the tables hold them: submission `2F7K` is a number in base 36, its third entry is
 * `2F7K-3`. One rule: a text that is no id names nothing; it is never an error.
 */

/** Entries that a submission has room for. */
export const ENTRIES_PER_SUBMISSION = 2 ** 20

/** What an id names: entries from `first` to `last`, both included. */
export interface IdRange {
  readonly first: number
  readonly last: number
}

/** As short as it can be; padded so that ids of a fresh queue look like ids. */
export function submissionIdOf(submission: number): string {
  return submission.toString(36).toUpperCase().padStart(4, '0')
}

export function entryIdOf(entry: number): string {
  return `${submissionIdOf(submissionOf(entry))}-${entry % ENTRIES_PER_SUBMISSION}`
}

/** The submission an entry belongs to. */
export function submissionOf(entry: number): number {
  return Math.floor(entry / ENTRIES_PER_SUBMISSION)
}

/** The entries of a submission. */
export function entriesOf(submission: number): IdRange {
  const base = submission * ENTRIES_PER_SUBMISSION
  return { first: base + 1, last: base + ENTRIES_PER_SUBMISSION - 1 }
}

/** What the id names; `null` when it can be no id. */
export function parseId(text: string): IdRange | null {
  const [, submissionText = '', numberText] = /^([0-9a-z]{1,7})(?:-([1-9]\d{0,6}))?$/i.exec(text) ?? []
  const submission = submissionText === '' ? 0 : Number.parseInt(submissionText, 36)
  if (submission < 1 || submission >= 2 ** 33) return null
  const all = entriesOf(submission)
  if (numberText === undefined) return all
  const entry = all.first - 1 + Number(numberText)
  return entry > all.last ? null : { first: entry, last: entry }
}

/** The entry that the id names; `null` for anything else, ids of submissions included. */
export function parseEntryId(text: string): number | null {
  const range = text.includes('-') ? parseId(text) : null
  return range?.first ?? null
}
