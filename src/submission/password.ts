/**
 * Passwords as they are kept: `$scrypt$ln=15,r=8,p=3$SALT$HASH`, base64 without padding (the PHC string format).
 * One rule: to find out that a name is unknown, or a password wrong, takes as long as to find out that it is right.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import pLimit from 'p-limit'

/** The cost of a guess; what is written into the string. */
export interface ScryptCost {
  /** N is 2 to the power of this. */
  readonly logN: number
  readonly r: number
  readonly p: number
}

/** One of the settings that OWASP's password storage cheat sheet holds for equal: 32 MiB, about 0.2 s. */
export const defaultCost: ScryptCost = { logN: 15, r: 8, p: 3 }

const saltOctets = 16
const hashOctets = 32
/** Above this a users file written by somebody else could be used to exhaust memory. */
const mostMemoryOctets = 256 * 1024 * 1024

// Each takes a thread of the pool that also writes the queue, and 32 MiB: two at a time leave half the pool to it.
const twoAtATime = pLimit(2)

const form =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

interface Hashed {
  readonly cost: ScryptCost
  readonly salt: Buffer
  readonly hash: Buffer
}

/** The string to keep for a password. */
export async function hashPassword(password: string, cost: ScryptCost = defaultCost): Promise<string> {
  const salt = randomBytes(saltOctets)
  const hash = await derive(password, { cost, salt, length: hashOctets })
  return `$scrypt$ln=${cost.logN},r=${cost.r},p=${cost.p}$${base64(salt)}$${base64(hash)}`
}

/** Whether the text is such a string, at a cost this host can bear. */
export function isPasswordHash(text: string): boolean {
  return parse(text) !== null
}

/** Whether it is the password; `null` stands for a user who does not exist, and costs the same. */
export async function verifyPassword(password: string, kept: string | null): Promise<boolean> {
  const parsed = kept === null ? null : parse(kept)
  const { cost, salt, hash } = parsed ?? nobody
  const derived = await derive(password, { cost, salt, length: hash.length })
  return timingSafeEqual(derived, hash) && parsed !== null
}

const nobody: Hashed = {
  cost: defaultCost,
  salt: randomBytes(saltOctets),
  hash: randomBytes(hashOctets),
}

function parse(text: string): Hashed | null {
  const [, ln, r, p, salt, hash] = form.exec(text) ?? []
  if (salt === undefined || hash === undefined) return null
  const cost = { logN: Number(ln), r: Number(r), p: Number(p) }
  if (cost.logN < 1 || cost.r < 1 || cost.p < 1 || memoryOf(cost) > mostMemoryOctets) return null
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

/** RFC 7914 §2, and the blocks of the p lanes. */
function memoryOf({ logN, r, p }: ScryptCost): number {
  return 128 * r * (2 ** logN + p + 2)
}

interface Derivation {
  readonly cost: ScryptCost
  readonly salt: Buffer
  readonly length: number
}

function derive(password: string, { cost, salt, length }: Derivation): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** cost.logN, r: cost.r, p: cost.p, maxmem: 2 * mostMemoryOctets }
  // RFC 8265 §4.2: two ways of typing the same character are the same password.
  const text = password.normalize('NFC')
  return twoAtATime(
    () =>
      new Promise<Buffer>((resolve, reject) => {
        scrypt(text, salt, length, options, (error, key) => (error ? reject(error) : resolve(key)))
      }),
  )
}

const base64 = (octets: Buffer) => octets.toString('base64').replace(/=+$/, '')
