/** New keys. One rule: a file that is there is never touched, and the new one is never anybody else's to read. */
import { generateKeyPair, type KeyPairKeyObjectResult } from 'node:crypto'
import { open, unlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { DkimAlgorithm } from './key.ts'
import { type KeyRecord, recordOf } from './record.ts'

/** RFC 8301 §3.2; longer keys do not fit into one DNS datagram, and receivers need not know more than 4,096. */
const rsaBits = 2_048

/** Which key, and where to. */
export interface NewKey {
  readonly domain: string
  readonly selector: string
  readonly algorithm: DkimAlgorithm
  /** PEM, PKCS#8, mode 0600. */
  readonly keyFile: string
}

const generate = promisify(generateKeyPair)

/**
 * Makes a key pair and writes the private key.
 * @returns the record that DNS is to have
 * @throws {Error} with the system's `code`: `EEXIST` when the file is there already
 */
export async function makeKey({ domain, selector, algorithm, keyFile }: NewKey): Promise<KeyRecord> {
  // Opened first: a key is not worth a second of work if it cannot be kept.
  await using file = await open(keyFile, 'wx', 0o600)
  try {
    const { privateKey, publicKey } = await generateKey(algorithm)
    await file.writeFile(privateKey.export({ format: 'pem', type: 'pkcs8' }))
    await file.sync()
    return recordOf({ domain, selector }, publicKey)
  } catch (error) {
    // Half a key would only be in the way of the next one.
    await unlink(keyFile).catch(() => {})
    throw error
  }
}

function generateKey(algorithm: DkimAlgorithm): Promise<KeyPairKeyObjectResult> {
  return algorithm === 'rsa' ? generate('rsa', { modulusLength: rsaBits }) : generate('ed25519', undefined)
}
