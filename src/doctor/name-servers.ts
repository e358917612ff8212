/** The name servers themselves, asked one by one for the root's SOA: it is signed, small, and everybody has it. */
import { queryServer, type ServerAnswer } from '../dns/server-query.ts'
import type { Evidence } from './result.ts'

/** What one server did. */
export interface ServerObservation {
  readonly server: string
  /** `null`: nothing came. */
  readonly answer: ServerAnswer | null
  /** Why nothing came. */
  readonly failure: string | null
}

/** Asks all at once, each for `timeoutMs` at most. @throws `signal.reason` */
export function askServers(
  servers: readonly string[],
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<readonly ServerObservation[]> {
  return Promise.all(
    servers.map(async (server) => {
      try {
        const query = { server, name: '.', type: 'SOA' as const, timeoutMs: timeoutMs / 2, tries: 2, signal }
        const answer = await queryServer(query)
        return { server, answer, failure: answer === null ? `no answer within ${timeoutMs} ms` : null }
      } catch (error) {
        signal.throwIfAborted()
        const { code, message } = error as NodeJS.ErrnoException
        return { server, answer: null, failure: code ?? message }
      }
    }),
  )
}

/** As `dig` would say it. */
export function serverEvidence({ server, answer, failure }: ServerObservation): Evidence {
  const asked = `SOA . +dnssec @${server}`
  if (answer === null) return { kind: 'dns', asked, answers: [], failure }
  const { rcode, isValidated, answers, durationMs } = answer
  const flags = `${rcode}, AD ${isValidated ? 'set' : 'not set'}, ${Math.round(durationMs)} ms`
  const types = new Set(answers.map(({ type }) => type).filter((type) => type !== 'RRSIG'))
  const signatures = signaturesOf(answer).map(
    ({ inception, expiration }) => `RRSIG valid from ${isoDay(inception)} to ${isoDay(expiration)}`,
  )
  return {
    kind: 'dns',
    asked,
    answers: [flags, ...types, ...signatures],
    failure: null,
  }
}

/** When a signature holds, in milliseconds since the epoch. */
export interface SignatureLife {
  readonly inception: number
  readonly expiration: number
}

/** The lives of all signatures in an answer. */
export function signaturesOf({ answers }: ServerAnswer): readonly SignatureLife[] {
  return answers.flatMap(({ signature }) =>
    signature === null
      ? []
      : [{ inception: signature.inception * 1_000, expiration: signature.expiration * 1_000 }],
  )
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
