/** What a caller makes of a verdict: the exit code, and the colour on a terminal. */
import type { Verdict } from './verdict.ts'

/** What a caller makes of it: yes, not known yet, or no. */
export type Answer = 'yes' | 'undecided' | 'no'

/** A target that was only to be asked so far, and was, is as good as one that accepts. */
export function answerOf({
  verdict,
  status,
  stoppedAfter,
}: {
  readonly verdict: Verdict
  readonly status: string
  readonly stoppedAfter: string | null
}): Answer {
  if (stoppedAfter !== null) return 'yes'
  switch (verdict) {
    case 'accepts':
    case 'accepts-all':
      return 'yes'
    case 'rejects':
    case 'no-mail':
    case 'no-domain':
      return 'no'
    // A 4xx may be better tomorrow.
    case 'full':
    case 'refused-us':
      return status.startsWith('5') ? 'no' : 'undecided'
    case 'greylisted':
    case 'unreachable':
    case 'unknown':
      return 'undecided'
    default:
      throw verdict satisfies never
  }
}
