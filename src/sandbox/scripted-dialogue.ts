/**
 * What a scripted exchanger says: the server's side of RFC 5321 §3 with BDAT (RFC 3030), kept to where the script has
 * nothing else to say. One rule: it knows no socket; a command or a content goes in, an action comes out.
 */
import { randomBytes } from 'node:crypto'
import type { ExchangerSite } from './exchanger.ts'
import {
  type Action,
  chooseAction,
  type Script,
  type SessionState,
  type StepName,
  usualExtensions,
} from './script.ts'
import type { Counters } from './statistics.ts'

/** What a dialogue needs of its exchanger. */
export interface DialogueSetting {
  readonly site: ExchangerSite
  readonly script: Script
  readonly counters: Counters
}

/** What is expected next from the client. */
export type Expecting =
  | { readonly kind: 'command' }
  | { readonly kind: 'content' }
  | { readonly kind: 'chunk'; readonly octets: number; readonly last: boolean }

/** An action, or the start of a handshake. */
export interface Answer extends Omit<Action, 'afterwards'> {
  readonly afterwards?: Action['afterwards'] | 'handshake'
}

const say = (...lines: readonly string[]): Answer => ({ lines })
const pathOf = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? ''
const multiline = (code: number, lines: readonly string[]): readonly string[] =>
  lines.map((line, at) => `${code}${at < lines.length - 1 ? '-' : ' '}${line}`)

/** One session's words and state. */
export class ScriptedDialogue {
  readonly #setting: DialogueSetting
  #expecting: Expecting = { kind: 'command' }
  #tls = false
  #reversePath: string | undefined
  #recipients: string[] = []
  #chunks: Uint8Array[] = []
  #transactions = 0

  constructor(setting: DialogueSetting) {
    this.#setting = setting
  }

  get expecting(): Expecting {
    return this.#expecting
  }

  greet(): Answer {
    return this.#play('greeting', say(`220 ${this.#setting.site.host} ESMTP mxpress sandbox`))
  }

  /** The session is encrypted now and starts over (RFC 3207 §4.2). */
  enterTls(): void {
    this.#tls = true
    this.#resetTransaction()
  }

  /** Answers a command; a DATA or BDAT that is taken changes what is expected. */
  answer(line: string): Answer {
    switch (line.split(' ', 1)[0]?.toUpperCase()) {
      case 'EHLO':
        this.#resetTransaction()
        return this.#play('ehlo', this.#offer())
      case 'HELO':
        this.#resetTransaction()
        return this.#play('helo', say(`250 ${this.#setting.site.host}`))
      case 'STARTTLS':
        return this.#startTls()
      case 'MAIL':
        return this.#mail(pathOf(line))
      case 'RCPT':
        return this.#rcpt(pathOf(line))
      case 'DATA':
        return this.#data()
      case 'BDAT':
        return this.#bdat(line)
      case 'RSET':
        this.#resetTransaction()
        return say('250 2.0.0 Ok')
      case 'NOOP':
        return say('250 2.0.0 Ok')
      case 'QUIT':
        this.#setting.counters.quits += 1
        return { lines: ['221 2.0.0 Bye'], afterwards: 'close' }
      default:
        return say('500 5.5.2 Command not recognized')
    }
  }

  /** The content up to the final dot has come. */
  async takeContent(content: Uint8Array): Promise<Answer> {
    this.#expecting = { kind: 'command' }
    const action = chooseAction(this.#setting.script, 'end-of-data', this.#state())
    if (action === undefined || action.keepsMail) await this.#keep(content)
    this.#resetTransaction()
    return action ?? say(`250 2.0.0 Ok: queued as ${randomBytes(4).toString('hex').toUpperCase()}`)
  }

  /** A chunk has come; it was read before anything is said, so that a refused one is not taken for commands. */
  async takeChunk(chunk: Uint8Array, position: { readonly last: boolean }): Promise<Answer> {
    this.#expecting = { kind: 'command' }
    const refusal = chooseAction(this.#setting.script, 'bdat', this.#state())
    if (refusal !== undefined) return refusal
    if (this.#recipients.length === 0) return say('503 5.5.1 Need RCPT command')
    this.#chunks.push(chunk)
    if (position.last) return await this.takeContent(Buffer.concat(this.#chunks))
    return say(`250 2.0.0 ${chunk.length} octets received`)
  }

  #offer(): Answer {
    const { script, site } = this.#setting
    const canStartTls = script.certificate !== undefined || script.steps?.starttls !== undefined
    const starttls = canStartTls && !this.#tls ? ['STARTTLS'] : []
    return say(...multiline(250, [site.host, ...this.#extensions(), ...starttls]))
  }

  #extensions(): readonly string[] {
    return this.#setting.script.extensions ?? usualExtensions
  }

  #startTls(): Answer {
    if (this.#setting.script.certificate === undefined || this.#tls) {
      return this.#play('starttls', say('503 5.5.1 TLS not available'))
    }
    return this.#play('starttls', { lines: ['220 2.0.0 Ready to start TLS'], afterwards: 'handshake' })
  }

  #mail(reversePath: string): Answer {
    if (this.#reversePath !== undefined) return say('503 5.5.1 Nested MAIL command')
    const answer = this.#play('mail', { ...say('250 2.1.0 Ok'), accepts: true })
    if (answer.accepts) this.#reversePath = reversePath
    return answer
  }

  #rcpt(recipient: string): Answer {
    if (this.#reversePath === undefined) return say('503 5.5.1 Need MAIL command')
    const answer = this.#play('rcpt', { ...say('250 2.1.5 Ok'), accepts: true }, recipient)
    if (answer.accepts) this.#recipients.push(recipient)
    return answer
  }

  #data(): Answer {
    if (this.#recipients.length === 0) return say('503 5.5.1 Need RCPT command')
    const answer = this.#play('data', { ...say('354 End data with <CR><LF>.<CR><LF>'), accepts: true })
    if (answer.accepts) this.#expecting = { kind: 'content' }
    return answer
  }

  #bdat(line: string): Answer {
    const [, octets, last] = /^BDAT (\d{1,15})( LAST)?$/i.exec(line.trimEnd()) ?? []
    if (octets === undefined || !this.#extensions().includes('CHUNKING')) {
      return say('502 5.5.1 Command not implemented')
    }
    this.#expecting = { kind: 'chunk', octets: Number(octets), last: last !== undefined }
    return say()
  }

  async #keep(content: Uint8Array): Promise<void> {
    const { site, counters } = this.#setting
    await site.mailroom.take({
      exchanger: site.host,
      reversePath: this.#reversePath ?? '',
      recipients: this.#recipients,
      tls: this.#tls,
      content,
    })
    this.#transactions += 1
    counters.transactions += 1
  }

  #resetTransaction(): void {
    this.#reversePath = undefined
    this.#recipients = []
    this.#chunks = []
  }

  #state(recipient = this.#recipients.at(-1) ?? ''): SessionState {
    return { reversePath: this.#reversePath ?? '', recipient, transactions: this.#transactions }
  }

  /** The script's action for a step, or the proper one. */
  #play(name: StepName, proper: Answer, recipient?: string): Answer {
    return chooseAction(this.#setting.script, name, this.#state(recipient)) ?? proper
  }
}
