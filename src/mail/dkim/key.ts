/**
 * Keys to sign with. One rule: what cannot sign is found out when it is read, and no message quotes what a key file holds.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { constants, open } from 'node:fs/promises'
import { ConfigError } from '../../config/errors.ts'

/** RFC 8301 §3.1 and RFC 8463. */
export type DkimAlgorithm = 'rsa' | 'ed25519'

/** One key of a domain. */
export interface DkimKey {
  readonly selector: string
  readonly algorithm: DkimAlgorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** A key, and what its operator should know. */
export interface ReadKey {
  readonly key: DkimKey
  /** Whole sentences; empty when all is well. */
  readonly warnings: readonly string[]
}

/** RFC 8301 §3.2: signers MUST use at least 1,024 bits, and SHOULD use at least 2,048. */
const leastBits = 1_024
const goodBits = 2_048

/** RFC 8301 §3.2: verifiers MUST know keys up to 4,096 bits, and MAY know longer ones. */
const mostBits = 4_096

/** A key of 16,384 bits has 12 kB; whatever is larger is another file. */
const largestOctets = 64 * 1024

/**
 * Reads a private key: PEM, PKCS#8 or PKCS#1.
 * @throws {ConfigError} it cannot be read, is no such key, or is too short
 */
export async function readKey({
  selector,
  keyFile,
}: {
  readonly selector: string
  readonly keyFile: string
}): Promise<ReadKey> {
  const { pem, mode } = await readFileSafely(keyFile)
  const privateKey = parseKey(pem, keyFile)
  const algorithm = algorithmOf(privateKey, keyFile)
  const warnings: string[] = []
  if ((mode & 0o007) !== 0) {
    warnings.push(`The key file ${keyFile} can be read by every user of this host: chmod 0600 ${keyFile}`)
  }
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? goodBits
  if (bits < goodBits) {
    warnings.push(`The key in ${keyFile} has ${bits} bits; receivers want ${goodBits} (RFC 8301 §3.2)`)
  }
  if (bits > mostBits) {
    warnings.push(
      `The key in ${keyFile} has ${bits} bits; receivers need know no more than ${mostBits} (RFC 8301 §3.2)`,
    )
  }
  return { key: { selector, algorithm, privateKey, publicKey: createPublicKey(privateKey) }, warnings }
}

/** The mode is that of what was read, whatever has the name a moment later. */
async function readFileSafely(keyFile: string): Promise<{ readonly pem: string; readonly mode: number }> {
  try {
    // A pipe that nobody writes to would hold up whoever opens it, for ever.
    await using file = await open(keyFile, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = await file.stat()
    const { mode, size } = stats
    if (!stats.isFile() && !stats.isDirectory()) throw new Error('expected a file, found a pipe or device')
    if (size > largestOctets) throw new Error(`it has ${size} octets, which no key has`)
    return { pem: await file.readFile('utf8'), mode }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'EACCES' ? 'EACCES, the user that runs mxpress may not' : (code ?? message)
    throw new ConfigError(`Cannot read the DKIM key file ${keyFile}: ${why}`, { cause })
  }
}

function parseKey(pem: string, keyFile: string): KeyObject {
  // OpenSSL would take the first without a word, and the record of the second would verify nothing.
  const count = pem.match(/^-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/gm)?.length ?? 0
  if (count > 1) {
    throw new ConfigError(
      `Expected the DKIM key file ${keyFile} to be ${wanted}, found ${count}: give each a file`,
    )
  }
  try {
    return createPrivateKey(pem)
  } catch {
    // What OpenSSL says of it helps nobody, and might quote it.
    throw new ConfigError(`Expected the DKIM key file ${keyFile} to be ${wanted}, ${foundIn(pem)}`)
  }
}

const wanted = 'a private key, RSA or Ed25519, in PEM and without a passphrase'

function foundIn(pem: string): string {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem))
    return 'found one that needs a passphrase'
  const [, label] = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(pem) ?? []
  if (label === undefined) return 'found no PEM'
  return label.endsWith('PRIVATE KEY') ? `found a damaged "${label}"` : `found a "${label}"`
}

function algorithmOf(privateKey: KeyObject, keyFile: string): DkimAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = privateKey
  if (type !== 'rsa' && type !== 'ed25519') {
    throw new ConfigError(`Expected the DKIM key file ${keyFile} to be ${wanted}, found one of type ${type}`)
  }
  const bits = details?.modulusLength ?? goodBits
  if (bits >= leastBits) return type
  throw new ConfigError(
    `Expected the DKIM key in ${keyFile} to have at least ${leastBits} bits (RFC 8301 §3.2), found ${bits}`,
  )
}
