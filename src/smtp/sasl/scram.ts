/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding: two round trips, in which each side proves to the other
 * that it knows the password, or a key made from it.
 *
 *   client  n,,n=user,r=NONCE                    server  r=NONCE+MORE,s=salt,i=iterations
 *   client  c=biws,r=NONCE+MORE,p=proof          server  v=signature
 *
 * One rule: a server whose signature is wrong does not know the password, and gets no mail.
 */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { RemoteProtocolError } from '../errors.ts'
import { type Credentials, type SaslExchange, unexpectedChallenge } from './mechanism.ts'

/** RFC 7677 §4. Fewer would let a false server guess the password from our proof at a fraction of the cost. */
const MIN_ITERATIONS = 4096
/** A second or so of one core; a server that asks for more wants to keep us busy. */
const MAX_ITERATIONS = 2_000_000
/** `n,,`: no channel binding, nobody is acted for (RFC 5802 §7); `c` repeats it in base64. */
const GS2_HEADER = 'n,,'

const derive = promisify(pbkdf2)

/** @param nonce printable ASCII but the comma, never used before */
export function startScram({ user, password }: Credentials, nonce: string): SaslExchange {
  return new Scram(`n=${escapeName(prepare(user))},r=${nonce}`, { password: prepare(password), nonce })
}

class Scram implements SaslExchange {
  readonly initialResponse: string
  readonly #clientFirst: string
  readonly #password: string
  readonly #nonce: string
  #signature: Buffer | null = null
  #isComplete = false

  constructor(
    clientFirst: string,
    { password, nonce }: { readonly password: string; readonly nonce: string },
  ) {
    this.#clientFirst = clientFirst
    this.#password = password
    this.#nonce = nonce
    this.initialResponse = `${GS2_HEADER}${clientFirst}`
  }

  get isComplete(): boolean {
    return this.#isComplete
  }

  async respond(challenge: string): Promise<string> {
    if (this.#isComplete) throw unexpectedChallenge('SCRAM-SHA-256')
    if (this.#signature === null) return this.#prove(challenge)
    this.#verify(challenge, this.#signature)
    this.#isComplete = true
    return ''
  }

  async #prove(serverFirst: string): Promise<string> {
    const { nonce, salt, iterations } = this.#parse(serverFirst)
    const salted = await derive(this.#password, salt, iterations, 32, 'sha256')
    const clientKey = hmac(salted, 'Client Key')
    const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${nonce}`
    const signed = `${this.#clientFirst},${serverFirst},${withoutProof}`
    const proof = xor(clientKey, hmac(createHash('sha256').update(clientKey).digest(), signed))
    this.#signature = hmac(hmac(salted, 'Server Key'), signed)
    return `${withoutProof},p=${proof.toString('base64')}`
  }

  #parse(serverFirst: string): {
    readonly nonce: string
    readonly salt: Buffer
    readonly iterations: number
  } {
    const [, nonce = '', salt = '', count = ''] =
      /^r=([!-+\--~]+),s=([A-Za-z0-9+/]+={0,2}),i=(\d{1,10})(?:,|$)/.exec(serverFirst) ?? []
    const iterations = Number(count)
    // RFC 5802 §5.1: ours continued; one that is only ours would let an old dialogue be played again.
    if (!nonce.startsWith(this.#nonce) || nonce.length <= this.#nonce.length) {
      throw new RemoteProtocolError('expected a challenge of SCRAM-SHA-256 that continues our nonce')
    }
    if (!(iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS)) {
      throw new RemoteProtocolError(
        `expected ${MIN_ITERATIONS} to ${MAX_ITERATIONS} iterations of SCRAM-SHA-256, found ${count}`,
      )
    }
    return { nonce, salt: Buffer.from(salt, 'base64'), iterations }
  }

  #verify(serverFinal: string, expected: Buffer): void {
    const [, text = ''] = /^v=([A-Za-z0-9+/]+={0,2})(?:,|$)/.exec(serverFinal) ?? []
    const signature = Buffer.from(text, 'base64')
    if (signature.length === expected.length && timingSafeEqual(signature, expected)) return
    throw new RemoteProtocolError('expected the proof that the server knows the password, found another')
  }
}

/**
 * Whether the name or the password is another one for SCRAM than it was written. A server that does not prepare its own
 * (Cyrus SASL 2.1.28 does not) refuses the right one then.
 */
export function isChangedByScram({ user, password }: Credentials): boolean {
  return prepare(user) !== user || prepare(password) !== password
}

/**
 * SASLprep (RFC 4013) as far as it changes anything: blanks of other scripts, characters that are mapped to nothing, NFKC.
 * RFC 5802 §5.1 would have us give up over what it forbids (§2.3 to §2.5: controls, private use, mixed directions). A server
 * that forbids it knows no such password, and says 535; one that does not, such as Cyrus SASL, takes the login.
 */
function prepare(text: string): string {
  return text
    .replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu, ' ')
    .replace(/\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/gu, '')
    .normalize('NFKC')
}

// RFC 5802 §5.1: the comma separates.
function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((octet, at) => octet ^ (b[at] ?? 0)))
}
