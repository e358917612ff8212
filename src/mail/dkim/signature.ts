/**
 * One DKIM-Signature field (RFC 6376 §3.5, §3.7; RFC 8463 §3): canonical forms and the field's own by mailauth, the
 * signature by `node:crypto`.
 *
 * mailauth's `dkimSign` does all of it in one call, but signs no field that is absent (so nothing could be oversigned),
 * reads the key from its PEM for every signature, and holds the event loop while RSA is at work. What stands here is
 * that call without these three.
 */
import { createHash, type KeyObject, type SignKeyObjectInput, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { generateCanonicalizedHeader } from 'mailauth/lib/dkim/header/index.js'
import { formatSignatureHeaderLine } from 'mailauth/lib/tools.js'
import type { DkimKey } from './key.ts'

/** What is signed. */
export interface SignedContent {
  readonly domain: string
  /** h=: names as often as they are signed. */
  readonly names: readonly string[]
  /** The fields, lowest first of each name. */
  readonly lines: readonly Buffer[]
  readonly bodyHash: string
  /** Seconds since the epoch. */
  readonly signedAt: number
  /** Seconds since the epoch; `null`: no x=. */
  readonly expiresAt: number | null
}

/** The field, folded, with its line end. */
export async function signatureField(content: SignedContent, key: DkimKey): Promise<string> {
  const { canonicalizedHeader, dkimHeaderOpts } = generateCanonicalizedHeader(
    'DKIM',
    { keys: content.names.join(': '), headers: content.lines.map((line) => ({ line })) },
    {
      signingDomain: content.domain,
      selector: key.selector,
      algorithm: `${key.algorithm}-sha256`,
      canonicalization: 'relaxed/relaxed',
      bodyHash: content.bodyHash,
      timestamp: content.signedAt,
      expiration: content.expiresAt ?? false,
    },
  )
  const signature = await signers[key.algorithm](canonicalizedHeader, key.privateKey)
  const line = formatSignatureHeaderLine('DKIM', { ...dkimHeaderOpts, b: signature.toString('base64') }, true)
  return `${line}\r\n`
}

const signAside = promisify<string, Buffer, KeyObject | SignKeyObjectInput, Buffer>(sign)

/**
 * RSA in libuv's threads, Ed25519 here. Measured (`npm run bench -- dkim`, two cores, signatures a second):
 *
 *     RSA-2048   5,898 in libuv's threads   5,053 in worker threads   3,878 here
 *     Ed25519    45 µs of CPU in a thread of libuv's, 63 in a worker thread, 36 here
 *
 * So a message signed with Ed25519 keeps the loop about as long whether it goes to a thread or not. All of signing in a
 * worker thread, canonical forms included, took a sixth off the loop's share of a mail when nothing else was done, and
 * nothing at a hundred mails a second, where the way to the thread is as cold as the work.
 */
const signers = {
  rsa: (octets: Buffer, key: KeyObject): Promise<Buffer> => signAside('sha256', octets, key),
  // RFC 8463 §3: Ed25519 of the SHA-256 of what RSA would sign.
  ed25519: async (octets: Buffer, key: KeyObject): Promise<Buffer> =>
    sign(null, createHash('sha256').update(octets).digest(), key),
} as const
