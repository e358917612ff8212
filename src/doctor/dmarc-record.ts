/** DMARC records as text, as far as it takes to recognise one. What a record means, mailauth says. */

/** RFC 9989 §4.7: the version is the first tag, and exactly this. */
export function isDmarcVersion(text: string): boolean {
  return /^\s*v\s*=\s*DMARC1\s*(?:;|$)/.test(text)
}

/** With a policy that counts. */
export function isDmarcRecord(text: string): boolean {
  return isDmarcVersion(text) && /;\s*p\s*=\s*(?:none|quarantine|reject)\s*(?:;|$)/i.test(text)
}
