/** PLAIN, LOGIN and XOAUTH2: the secret as it is. One rule: what the server asks is never taken as a reason to repeat it. */
import { type Credentials, type SaslExchange, type SaslMechanism, unexpectedChallenge } from './mechanism.ts'

/** `NUL user NUL password` (RFC 4616 §2); nobody is acted for. */
export function startPlain({ user, password }: Credentials): SaslExchange {
  return new SingleResponse('PLAIN', `\0${user}\0${password}`)
}

/** `user=… ^A auth=Bearer … ^A ^A`; a refusal comes as a challenge with the reason, which an empty line answers. */
export function startXoauth2({ user, password }: Credentials): SaslExchange {
  return new SingleResponse('XOAUTH2', `user=${user}\x01auth=Bearer ${password}\x01\x01`, {
    hasErrorChallenge: true,
  })
}

/** Two questions, whatever their words: servers ask for `Username:`, `User Name\0`, or in their own language. */
export function startLogin({ user, password }: Credentials): SaslExchange {
  const answers = [user, password]
  return {
    initialResponse: null,
    respond: async () => answers.shift() ?? refuse('LOGIN'),
    get isComplete() {
      return answers.length === 0
    },
  }
}

class SingleResponse implements SaslExchange {
  readonly initialResponse: string
  readonly isComplete = true
  readonly #mechanism: SaslMechanism
  #mayFail: boolean

  constructor(
    mechanism: SaslMechanism,
    response: string,
    { hasErrorChallenge = false }: { readonly hasErrorChallenge?: boolean } = {},
  ) {
    this.#mechanism = mechanism
    this.initialResponse = response
    this.#mayFail = hasErrorChallenge
  }

  async respond(): Promise<string> {
    if (!this.#mayFail) return refuse(this.#mechanism)
    this.#mayFail = false
    return ''
  }
}

function refuse(mechanism: SaslMechanism): never {
  throw unexpectedChallenge(mechanism)
}
