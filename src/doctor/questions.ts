/**
 * The DNS as the checks ask it: failures are answers too, a question is asked once however many checks put it, and
 * everything asked can be shown. One rule: no judgement here.
 */
import { type LookupFunction, lookupFunctionOf } from '../dns/lookup-function.ts'
import { DnsError, type MxRecord, type RecordResolver } from '../dns/resolver.ts'
import type { Evidence } from './result.ts'

/** What DNS said: records, or why there are none. */
export interface Answer<T = string> {
  readonly question: string
  readonly records: readonly T[]
  readonly failure: DnsError | null
}

/** A function for a library, and what it has asked so far. */
export interface Interview {
  readonly lookUp: LookupFunction
  /** In the order asked, each question once. */
  evidence(): Promise<readonly Evidence[]>
}

/** The questions of one examination. */
export class Questions {
  readonly #resolver: RecordResolver
  readonly #signal: AbortSignal
  readonly #asked = new Map<string, Promise<Answer<unknown>>>()

  constructor(resolver: RecordResolver, signal: AbortSignal) {
    this.#resolver = resolver
    this.#signal = signal
  }

  a(name: string): Promise<Answer> {
    return this.#ask('A', name, (options) => this.#resolver.resolve4(name, options))
  }

  aaaa(name: string): Promise<Answer> {
    return this.#ask('AAAA', name, (options) => this.#resolver.resolve6(name, options))
  }

  addresses(name: string, family: 4 | 6): Promise<Answer> {
    return family === 4 ? this.a(name) : this.aaaa(name)
  }

  mx(name: string): Promise<Answer<MxRecord>> {
    return this.#ask('MX', name, (options) => this.#resolver.resolveMx(name, options))
  }

  /** Each record's character-strings joined. */
  txt(name: string): Promise<Answer> {
    return this.#ask('TXT', name, async (options) => {
      const records = await this.#resolver.resolveTxt(name, options)
      return records.map((strings) => strings.join(''))
    })
  }

  /** @param name as `reverseName` gives it */
  ptr(name: string): Promise<Answer> {
    return this.#ask('PTR', name, (options) => this.#resolver.resolvePtr(name, options))
  }

  cname(name: string): Promise<Answer> {
    return this.#ask('CNAME', name, (options) => this.#resolver.resolveCname(name, options))
  }

  /** For a library that does its own asking. */
  interview(): Interview {
    const asked = new Map<string, Promise<Evidence>>()
    const plain = lookupFunctionOf(this.#resolver, this.#signal)
    const lookUp: LookupFunction = (name, type) => {
      const question = `${type} ${name}`
      const answer = plain(name, type)
      if (!asked.has(question)) asked.set(question, asEvidence(question, answer))
      return answer
    }
    return { lookUp, evidence: () => Promise.all(asked.values()) }
  }

  #ask<T>(
    type: string,
    name: string,
    ask: (options: { signal: AbortSignal }) => Promise<readonly T[]>,
  ): Promise<Answer<T>> {
    const question = `${type} ${name}`
    const known = this.#asked.get(question) as Promise<Answer<T>> | undefined
    if (known !== undefined) return known
    const answer = answerOf(question, ask({ signal: this.#signal }))
    this.#asked.set(question, answer)
    return answer
  }
}

async function answerOf<T>(question: string, asking: Promise<readonly T[]>): Promise<Answer<T>> {
  try {
    return { question, records: await asking, failure: null }
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    return { question, records: [], failure: error }
  }
}

async function asEvidence(question: string, asking: Promise<readonly unknown[]>): Promise<Evidence> {
  try {
    return { kind: 'dns', asked: question, answers: (await asking).map(showRecord), failure: null }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof DnsError ? error.cause : null
    const failure = cause === null ? String(error) : failureText(cause)
    return { kind: 'dns', asked: question, answers: [], failure }
  }
}

/** An answer as evidence, in the words of a zone file. */
export function evidenceOf({ question, records, failure }: Answer<unknown>): Evidence {
  const isText = question.startsWith('TXT ')
  const answers = records.map((record) => (isText ? `"${record}"` : showRecord(record)))
  return { kind: 'dns', asked: question, answers, failure: failure === null ? null : failureText(failure) }
}

/** Whether the name servers said that there is nothing, as against saying nothing. */
export function isAbsent({ failure }: Answer<unknown>): boolean {
  return failure !== null && failure.kind !== 'temporary'
}

/** Whether it is not known what the name servers would say. */
export function isUnanswered({ failure }: Answer<unknown>): boolean {
  return failure?.kind === 'temporary'
}

function failureText({ kind, reason }: DnsError): string {
  if (kind === 'no-domain') return 'NXDOMAIN'
  return kind === 'no-records' ? 'no such record' : reason.replace(/^E/, '')
}

function showRecord(record: unknown): string {
  if (typeof record === 'string') return record
  if (Array.isArray(record)) return `"${record.join('')}"`
  const { host, preference, exchange, priority } = record as Partial<MxRecord> & {
    readonly exchange?: string
    readonly priority?: number
  }
  return `${preference ?? priority} ${(host ?? exchange) || '.'}`
}
