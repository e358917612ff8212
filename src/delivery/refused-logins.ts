/**
 * Passwords that a relay has refused with 535, for a while: each try counts against the user, and without this there would
 * be one for every domain whose mail falls back to the relay. One rule: another password is tried at once, and none is kept.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { RefusedSecrets } from '../client/authenticate.ts'
import type { LoginSettings } from '../config/relay-settings.ts'
import type { Reply } from '../smtp/reply.ts'
import type { Clock } from '../time/clock.ts'

/** Less than whoever mends the account has to wait for the queue anyway. */
const REFUSED_MS = 60_000

/** One per agent; the last refusal of each login. */
export class RefusedLogins {
  readonly #clock: Clock
  /** The password itself is read anew for each login and must not stay in memory. */
  readonly #key = randomBytes(32)
  readonly #last = new WeakMap<
    LoginSettings,
    { readonly digest: string; readonly refusal: Reply; readonly until: number }
  >()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Those of one login. */
  of(login: LoginSettings): RefusedSecrets {
    return {
      find: (secret) => {
        const last = this.#last.get(login)
        if (last === undefined || this.#clock.monotonic() >= last.until) return null
        return last.digest === this.#digestOf(secret) ? last.refusal : null
      },
      remember: (secret, refusal) => {
        const until = this.#clock.monotonic() + REFUSED_MS
        this.#last.set(login, { digest: this.#digestOf(secret), refusal, until })
      },
    }
  }

  #digestOf(secret: string): string {
    return createHmac('sha256', this.#key).update(secret).digest('hex')
  }
}
