/** Entries that end. One rule: the last entry of a submission takes the submission and its content along. */
import { entriesOf, submissionOf } from './ids.ts'
import { type Sql, textOrNull } from './sql.ts'

/** @returns the file of the content, if nobody needs it any more and it has one */
export function removeEntry(
  sql: Sql,
  { id, attempts }: { readonly id: number; readonly attempts: number },
): readonly string[] {
  sql.run('DELETE FROM entry WHERE id = ?', id)
  if (attempts > 0) sql.run('DELETE FROM attempt WHERE entry = ?', id)
  const submission = submissionOf(id)
  const { first, last } = entriesOf(submission)
  if (sql.get('SELECT 1 FROM entry WHERE id BETWEEN ? AND ? LIMIT 1', first, last) !== undefined) return []
  const file = textOrNull(sql.get('SELECT file FROM content WHERE submission = ?', submission), 'file')
  sql.run('DELETE FROM content WHERE submission = ?', submission)
  sql.run('DELETE FROM submission WHERE id = ?', submission)
  return file === null ? [] : [file]
}

/** Which of the files no content names. */
export function orphans(sql: Sql, { files }: { readonly files: readonly string[] }): readonly string[] {
  return files.filter((file) => sql.get('SELECT 1 FROM content WHERE file = ?', file) === undefined)
}
