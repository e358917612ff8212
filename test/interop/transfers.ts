/** The ways content can travel, each forced by what the server is told not to offer. */
import type { Withholdable } from '../support/mta/mta.ts'

/** One way; `command` is the one that carries the content. */
export interface Transfer {
  readonly title: string
  readonly withhold: readonly Withholdable[]
  readonly command: 'BDAT' | 'DATA'
}

export const transfers: readonly Transfer[] = [
  { title: 'BDAT in the flight of the envelope (RFC 3030, RFC 2920)', withhold: [], command: 'BDAT' },
  { title: 'BDAT step by step', withhold: ['PIPELINING'], command: 'BDAT' },
  { title: 'DATA, pipelined', withhold: ['CHUNKING'], command: 'DATA' },
  { title: 'DATA step by step', withhold: ['CHUNKING', 'PIPELINING'], command: 'DATA' },
]
