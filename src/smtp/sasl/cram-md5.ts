/** CRAM-MD5 (RFC 2195): a keyed digest of the challenge instead of the password. */
import { createHmac } from 'node:crypto'
import { type Credentials, type SaslExchange, unexpectedChallenge } from './mechanism.ts'

/** The server begins, with a text that it has not used before. */
export function startCramMd5({ user, password }: Credentials): SaslExchange {
  let isAnswered = false
  return {
    initialResponse: null,
    respond: async (challenge) => {
      if (isAnswered) throw unexpectedChallenge('CRAM-MD5')
      isAnswered = true
      return `${user} ${createHmac('md5', password).update(challenge, 'latin1').digest('hex')}`
    },
    get isComplete() {
      return isAnswered
    },
  }
}
