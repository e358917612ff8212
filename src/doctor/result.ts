/**
 * What a check says. One rule: what was seen (evidence, as received) and what it means (status, summary) are two things,
 * and whoever doubts the second can read the first.
 */

/**
 * - `ok`: nothing to do.
 * - `warning`: mail goes out, and some of it is refused or hidden because of this, or soon will be.
 * - `problem`: mail does not go out, or large receivers refuse it.
 * - `cannot-tell`: what was seen proves neither.
 */
export type CheckStatus = 'ok' | 'warning' | 'problem' | 'cannot-tell'

/** One question and its answer. Text from the network is as received: escape it before showing it. */
export interface Evidence {
  /** `dns`: a query · `connection`: an address dialled · `system`: this host was asked or tried. */
  readonly kind: 'dns' | 'connection' | 'system'
  /** `TXT example.org`, `connect mx.example.net [192.0.2.7]:25`, `fsync /var/lib/mxpress/queue`. */
  readonly asked: string
  /** Records, or lines, in the order received; empty when there was none. */
  readonly answers: readonly string[]
  /** Why there was no answer: `NXDOMAIN`, `no answer within 7000 ms`. */
  readonly failure: string | null
}

/** How to mend it. */
export interface Remedy {
  /** `record`: a line for the zone · `command` · `setting`: a line of mxpress.toml · `advice`: nothing to paste. */
  readonly kind: 'record' | 'command' | 'setting' | 'advice'
  /** What to do. */
  readonly text: string
  /** What to paste; `null` for advice. */
  readonly paste: string | null
}

/** What a judge says of one subject; the check's name is added by whoever called the judge. */
export interface Finding {
  /** What in particular: an address, a family, a list; `null` where there is only one. */
  readonly subject: string | null
  readonly status: CheckStatus
  /** Stable: `spf-missing`, `listed`. Programs go by it. */
  readonly code: string
  /** One sentence for people. */
  readonly summary: string
  readonly evidence: readonly Evidence[]
  readonly remedies: readonly Remedy[]
}

/** A finding of a named check. */
export interface CheckResult extends Finding {
  /** `ehlo-name`, `spf` … */
  readonly check: string
  /** For people: `EHLO name`. */
  readonly title: string
}

type Said = Pick<Finding, 'code' | 'summary'> & Partial<Finding>

function finding(status: CheckStatus, said: Said): Finding {
  return { subject: null, evidence: [], remedies: [], ...said, status }
}

/** Shorthands for judges: a code and a sentence, and whatever else there is. */
export const ok = (said: Said): Finding => finding('ok', said)
export const warning = (said: Said): Finding => finding('warning', said)
export const problem = (said: Said): Finding => finding('problem', said)
export const cannotTell = (said: Said): Finding => finding('cannot-tell', said)

/** Shorthands for remedies. */
export const advice = (text: string): Remedy => ({ kind: 'advice', text, paste: null })
export const publish = (text: string, paste: string): Remedy => ({ kind: 'record', text, paste })
export const runCommand = (text: string, paste: string): Remedy => ({ kind: 'command', text, paste })
export const setting = (text: string, paste: string): Remedy => ({ kind: 'setting', text, paste })

/** For what hangs on the address that receivers see, when that is not known. */
export const sayAddress: Remedy = advice('Say it with --address.')

/** A word as a shell takes it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
