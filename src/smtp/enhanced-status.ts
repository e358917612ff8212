/**
 * Enhanced status codes (RFC 3463): class, subject, detail. One rule: a code counts only when its class agrees with
 * the reply code it came with (RFC 2034 §4).
 */

/** `class.subject.detail`, for example `5.1.1`. */
export type EnhancedStatus = `${2 | 4 | 5}.${number}.${number}`

// RFC 3463 §2: class 2, 4 or 5; subject and detail of one to three digits, without leading zeros.
const PREFIX = /^([245](?:\.(?:0|[1-9]\d{0,2})){2})(?:[ \t]|$)/

/** The status a reply line begins with, if its class agrees with `code`; `null` otherwise. */
export function statusOfLine(code: number, line: string): EnhancedStatus | null {
  // Most lines of most servers have one; the first octet tells cheaply which have not.
  if (line.charCodeAt(0) !== 48 + Math.floor(code / 100)) return null
  return (PREFIX.exec(line)?.[1] as EnhancedStatus | undefined) ?? null
}

/** The line without the status it begins with; 5.1.1 is no beginning of 5.1.10. */
export function withoutStatus(line: string, status: EnhancedStatus): string {
  if (!line.startsWith(status)) return line
  const rest = line.slice(status.length)
  return rest === '' || rest.startsWith(' ') || rest.startsWith('\t') ? rest.trimStart() : line
}

/** What a reply without a status of its own says: `X.0.0`, "other or undefined status" (RFC 3463 §3.1). */
export function undefinedStatus(code: number): EnhancedStatus {
  return code < 400 ? '2.0.0' : code < 500 ? '4.0.0' : '5.0.0'
}
