/**
 * Who may send: AUTH PLAIN and LOGIN against the users file (RFC 4954, RFC 4616).
 * One rule: a client learns only yes, no, or not now; why stands in the log.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../time/clock.ts'
import { AuthFailures, networkOf } from './auth-failures.ts'
import { verifyPassword } from './password.ts'
import { Refusal } from './refusal.ts'
import { readUsers, userKey } from './users-file.ts'

/** What a client says to be let in. */
export interface Credentials {
  readonly name: string
  /** Whom to act for (RFC 4616 §2); nobody may act for another. */
  readonly actFor: string
  readonly password: string
  readonly ip: string
}

/** Lets clients in. */
export interface Authenticator {
  /** Resolves with the user's name. @throws {Refusal} 535, 454 or 421 */
  authenticate(credentials: Credentials): Promise<string>
}

/** How to judge. */
export interface AuthenticatorOptions {
  /** Read anew for each login, so that `mxpress user` has effect at once. */
  readonly usersFile: string
  readonly clock: Clock
  /** How long a refusal is held back, in milliseconds. Default 1,000: a guess a second and connection. */
  readonly failureDelayMs?: number
}

/** Judges clients by the users file. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { usersFile, clock, failureDelayMs = 1_000 } = options
  const failures = new AuthFailures(clock)
  const turns = new Turns()
  const judge = async (credentials: Credentials): Promise<boolean> => {
    // Asked when it is its turn: guesses that came together must not be let through together.
    if (failures.isBlocked(credentials.ip)) {
      throw new Refusal(421, '4.7.0', 'too many failed logins from your address, try again later')
    }
    if (await isRight(usersFile, credentials)) return true
    failures.add(credentials.ip)
    return false
  }
  return {
    async authenticate(credentials) {
      if (await turns.take(credentials.ip, () => judge(credentials))) return userKey(credentials.name)
      // Not kept alive for its own sake: a stop need not wait for guessers.
      await delay(failureDelayMs, undefined, { ref: false })
      throw new Refusal(535, '5.7.8', 'authentication credentials invalid')
    },
  }
}

/** One client's logins one after another, so that a guesser with many connections keeps nobody else waiting. */
class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  async take<T>(ip: string, work: () => Promise<T>): Promise<T> {
    const network = networkOf(ip)
    const turn = (this.#last.get(network) ?? Promise.resolve()).then(work, work)
    this.#last.set(network, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(network) === turn) this.#last.delete(network)
    }
  }
}

async function isRight(usersFile: string, { name, actFor, password }: Credentials): Promise<boolean> {
  const users = await readUsers(usersFile).catch((cause: unknown) => {
    throw new Refusal(454, '4.7.0', 'temporary authentication failure', { cause })
  })
  // Both are found out before either counts: the time tells nothing.
  const isPassword = await verifyPassword(password, users.get(userKey(name)) ?? null)
  return isPassword && (actFor === '' || userKey(actFor) === userKey(name))
}
