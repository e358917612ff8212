/**
 * Replies that are owed, and those that nobody has judged yet.
 *
 * One rule: replies answer commands in order (RFC 5321 §4.2), so each is told with its own command, however late it comes;
 * and each is judged once, in order too.
 */
import { TimeoutError } from '../smtp/errors.ts'
import { UnexpectedReplyError } from './errors.ts'
import { type Expectation, goodReply, meets } from './expectation.ts'
import type { HeardReply } from './heard-reply.ts'

/** A command that the peer has not answered yet. */
export interface Owed {
  /** `EHLO`, `greeting`, `content`. */
  readonly command: string
  /** On the monotonic clock. */
  readonly saidAt: number
  /** Rejects when the connection ends before. */
  readonly answered: Promise<HeardReply>
}

/** Rejects when the promise takes longer. @throws {TimeoutError} */
export async function within<T>(promise: Promise<T>, limitMs: number, step: string): Promise<T> {
  const expired = Promise.withResolvers<never>()
  const timer = setTimeout(() => expired.reject(new TimeoutError(step, limitMs)), limitMs)
  try {
    return await Promise.race([promise, expired.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** The replies of one dialogue. */
export class Replies {
  readonly #timeoutMs: number
  readonly #isStrict: boolean
  readonly #owed: (Owed & Pick<PromiseWithResolvers<HeardReply>, 'resolve' | 'reject'>)[] = []
  readonly #unjudged: Unjudged[] = []
  #arrival = Promise.withResolvers<void>()
  #loss: Error | null = null

  /** `isStrict`: what nobody said anything about has to be good. */
  constructor({ timeoutMs, isStrict }: { readonly timeoutMs: number; readonly isStrict: boolean }) {
    this.#timeoutMs = timeoutMs
    this.#isStrict = isStrict
  }

  /** What the next reply answers; `null`: nothing. */
  get next(): Owed | null {
    return this.#owed[0] ?? null
  }

  /** Whether a reply waits to be judged. */
  get hasUnjudged(): boolean {
    return this.#unjudged.length > 0
  }

  /** A command was said. */
  owe(command: string, saidAt: number): Owed {
    const { promise, resolve, reject } = Promise.withResolvers<HeardReply>()
    // Nobody may be waiting when the connection ends.
    promise.catch(() => {})
    const owed = { command, saidAt, answered: promise, resolve, reject }
    if (this.#loss === null) this.#owed.push(owed)
    else reject(this.#loss)
    return owed
  }

  /** A reply has come. */
  arrive(reply: HeardReply): void {
    const owed = this.#owed.shift()
    this.#unjudged.push({ reply, command: owed?.command ?? null })
    owed?.resolve(reply)
    this.#arrival.resolve()
    this.#arrival = Promise.withResolvers<void>()
  }

  /** No more will come. */
  end(loss: Error): void {
    this.#loss = loss
    for (const { reject } of this.#owed.splice(0)) reject(loss)
    this.#arrival.resolve()
  }

  /** Resolves when every command has its reply. @throws {TimeoutError}, or why no more will come */
  async settled(): Promise<void> {
    const last = this.#owed.at(-1)
    if (last === undefined) return
    await within(last.answered, this.#timeoutMs, `the reply to ${last.command}`)
  }

  /** Judges the oldest reply that nobody has judged, or the next. @throws {UnexpectedReplyError} {TimeoutError} */
  async expect(expectation: Expectation): Promise<void> {
    while (this.#unjudged.length === 0) {
      if (this.#loss !== null)
        throw new UnexpectedReplyError(expectation.written, { words: this.#loss.message })
      await within(
        this.#arrival.promise,
        this.#timeoutMs,
        `the reply that is expected (${expectation.written})`,
      )
    }
    judge(this.#unjudged.shift() as Unjudged, expectation)
  }

  /** What nobody said anything about. @throws {UnexpectedReplyError} */
  judgeRest(): void {
    const rest = this.#unjudged.splice(0)
    if (!this.#isStrict) return
    for (const one of rest) judge(one, goodReply)
  }
}

interface Unjudged {
  readonly reply: HeardReply
  /** `null`: it came unasked. */
  readonly command: string | null
}

function judge({ reply, command }: Unjudged, expectation: Expectation): void {
  if (meets(reply, expectation)) return
  throw new UnexpectedReplyError(`${expectation.written}${placeOf(command)}`, { reply })
}

function placeOf(command: string | null): string {
  if (command === null || command === '') return ''
  if (command === 'greeting') return ' as greeting'
  return command === 'content' ? ' to the content' : ` to ${command}`
}
