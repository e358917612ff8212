/**
 * AUTH (RFC 4954): the strongest mechanism that both sides know; where the server offers one that it then does not know
 * or finds too weak (504, 534), the next.
 *
 * One rule: the secret is read for this login only, goes out only over TLS or where that was allowed, and stands in no
 * line that anybody sees.
 */
import { randomBytes } from 'node:crypto'
import { AuthError, RemoteProtocolError } from '../smtp/errors.ts'
import { formatReply, isPositive, type Reply } from '../smtp/reply.ts'
import type { SaslExchange, SaslMechanism } from '../smtp/sasl/mechanism.ts'
import { saslMechanisms, sendsSecret } from '../smtp/sasl/mechanism.ts'
import { isChangedByScram } from '../smtp/sasl/scram.ts'
import { startSasl } from '../smtp/sasl/start.ts'
import { HIDDEN } from './concealment.ts'
import type { Connection } from './connection.ts'

/** Who logs in, and how. */
export interface Login {
  readonly user: string
  /** Asked once for each session. */
  readonly readSecret: () => Promise<string>
  readonly mechanisms: readonly SaslMechanism[]
  /** Also mechanisms that show the secret to whoever listens, in a session without TLS. */
  readonly allowPlaintextAuth: boolean
  /** Secrets that were refused a moment ago, and are not said again. Default: none is remembered. */
  readonly refused?: RefusedSecrets
}

/** What a relay has said of secrets. */
export interface RefusedSecrets {
  /** The refusal, if it still counts; else `null`. */
  find(secret: string): Reply | null
  remember(secret: string, refusal: Reply): void
}

/** Where one logs in. */
export interface LoginPlace {
  readonly connection: Connection
  /** The mechanisms offered; `null`: no AUTH. */
  readonly offered: readonly string[] | null
  readonly isEncrypted: boolean
  /** For each reply. */
  readonly limitMs: number
}

/** RFC 4954 §4: an initial response goes into the command only as far as a command line reaches (RFC 5321 §4.5.3.1.4). */
const MAX_COMMAND_OCTETS = 512
/** SCRAM has two; a server that goes on asking is stopped. */
const MAX_CHALLENGES = 4

/** @returns the reply that decided: 2xx, and we are logged in, or the refusal. @throws {AuthError} {@link SmtpError} */
export async function authenticate(login: Login, place: LoginPlace): Promise<Reply> {
  const strongestFirst = usable(login, place)
  const password = await secretOf(login, place.limitMs)
  const refusal = login.refused?.find(password) ?? null
  if (refusal !== null) {
    place.connection.trace('client', '[AUTH not said: the same login was refused a moment ago]')
    return refusal
  }
  place.connection.conceal({ plain: password, encoded: base64(password) })
  const credentials = { user: login.user, password }
  // In clear the others may show the password.
  const isScramDoubtful = place.isEncrypted && isChangedByScram(credentials)
  const mechanisms = isScramDoubtful ? scramLast(strongestFirst) : strongestFirst
  for (let at = 0; ; at++) {
    const mechanism = mechanisms[at] ?? mechanisms[0]
    const exchange = startSasl(mechanism, credentials, newNonce)
    const reply = await new Dialogue(mechanism, exchange, place).run()
    if (isMechanismRefused(reply) && at + 1 < mechanisms.length) continue
    // RFC 4954 §6: 535, the credentials are wrong.
    if (reply.code === 535) login.refused?.remember(password, reply)
    return reply
  }
}

type Mechanisms = readonly [SaslMechanism, ...SaslMechanism[]]

function scramLast(mechanisms: Mechanisms): Mechanisms {
  const [first, second, ...others] = mechanisms
  return first !== 'SCRAM-SHA-256' || second === undefined ? mechanisms : [second, ...others, first]
}

/** Strongest first. @throws {AuthError} there is none */
function usable(login: Login, { offered, isEncrypted }: LoginPlace): Mechanisms {
  if (offered === null) {
    const hint = isEncrypted ? '' : ' without TLS'
    throw new AuthError('unavailable', `the server does not offer AUTH${hint}, and we are to log in`)
  }
  const both = saslMechanisms.filter((name) => login.mechanisms.includes(name) && offered.includes(name))
  if (both.length === 0) {
    const ours = login.mechanisms.join(', ')
    throw new AuthError('unavailable', `the server offers AUTH ${offered.join(' ')}, and we may use ${ours}`)
  }
  const safe = both.filter((name) => isEncrypted || login.allowPlaintextAuth || !sendsSecret(name))
  const [strongest, ...others] = safe
  if (strongest !== undefined) return [strongest, ...others]
  throw new AuthError(
    'plaintext',
    `the session is not encrypted, and AUTH ${both.join(' ')} would show the password (allowPlaintextAuth)`,
  )
}

/** A program's own function may ask a server of its own for a token, and wait for it as long as it likes; we do not. */
async function secretOf(login: Login, limitMs: number): Promise<string> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`no password was given within ${limitMs} ms`)),
    limitMs,
  )
  try {
    return await Promise.race([login.readSecret(), late.promise])
  } catch (cause) {
    throw new AuthError('secret', (cause as Error).message, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** One mechanism's. */
class Dialogue {
  readonly #mechanism: SaslMechanism
  readonly #exchange: SaslExchange
  readonly #place: LoginPlace

  constructor(mechanism: SaslMechanism, exchange: SaslExchange, place: LoginPlace) {
    this.#mechanism = mechanism
    this.#exchange = exchange
    this.#place = place
  }

  async run(): Promise<Reply> {
    let initial = this.#exchange.initialResponse
    let reply: Reply
    if (initial !== null && fitsCommand(this.#mechanism, initial)) {
      reply = await this.#say(`AUTH ${this.#mechanism} `, initial)
      initial = null
    } else reply = await this.#say(`AUTH ${this.#mechanism}`, null)
    for (let challenges = 0; isChallenge(reply); challenges++) {
      if (challenges >= MAX_CHALLENGES)
        throw new RemoteProtocolError('expected an end of the challenges of AUTH')
      // RFC 4954 §4: the empty challenge asks for what did not fit into the command.
      const response: string = initial ?? (await this.#exchange.respond(challengeOf(reply)))
      initial = null
      reply = await this.#say('', response)
    }
    if (reply.code >= 400 || (isPositive(reply) && this.#exchange.isComplete)) return reply
    throw new RemoteProtocolError(`expected a challenge of ${this.#mechanism}, found ${formatReply(reply)}`)
  }

  #say(head: string, response: string | null): Promise<Reply> {
    const { connection, limitMs } = this.#place
    const encoded = response === null ? '' : base64(response)
    connection.conceal({ encoded })
    connection.trace('client', `${head}${encoded === '' ? '' : HIDDEN}`)
    connection.write(`${head}${encoded}\r\n`)
    return connection.readReply('AUTH', limitMs)
  }
}

/** RFC 4954 §6: 504, no such mechanism; 534, too weak for this user. The password is not at fault, nor shown to be right. */
function isMechanismRefused({ code }: Reply): boolean {
  return code === 504 || code === 534
}

function fitsCommand(mechanism: SaslMechanism, initial: string): boolean {
  return `AUTH ${mechanism} ${base64(initial)}\r\n`.length <= MAX_COMMAND_OCTETS
}

function isChallenge({ code }: Reply): boolean {
  return code === 334
}

/** One character for each octet. */
function challengeOf(reply: Reply): string {
  const text = reply.lines.join('').trim()
  // Hidden because our secret begins with the same words, such as `Password:`; who asks so does not need them back.
  if (text === HIDDEN) return ''
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return Buffer.from(text, 'base64').toString('latin1')
  throw new RemoteProtocolError('expected a challenge in base64 (RFC 4954 §4)')
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

function newNonce(): string {
  return randomBytes(24).toString('base64')
}
