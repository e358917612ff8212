/** The certificate for STARTTLS. One rule: what cannot be used is found out when it is read, not at the first handshake. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ConfigError } from '../config/errors.ts'
import type { SubmissionSettings } from '../config/settings.ts'
import type { Certificate } from '../submission/protection.ts'

type Files = Pick<SubmissionSettings, 'certFile' | 'keyFile'>

/** `null` when none is configured. @throws {ConfigError} */
export async function readCertificate({ certFile, keyFile }: Files): Promise<Certificate | null> {
  if (certFile === null && keyFile === null) return null
  if (certFile === null) throw new ConfigError('`submission.keyFile` is set, `submission.certFile` is not')
  if (keyFile === null) throw new ConfigError('`submission.certFile` is set, `submission.keyFile` is not')
  const cert = await read('certFile', certFile)
  const key = await read('keyFile', keyFile)
  const parsed = parse('certFile', certFile, () => new X509Certificate(cert))
  const parsedKey = parse('keyFile', keyFile, () => createPrivateKey(key))
  if (!parsed.checkPrivateKey(parsedKey)) {
    throw new ConfigError(`The key in ${keyFile} is not that of the certificate in ${certFile}`)
  }
  return { cert, key }
}

async function read(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new ConfigError(`Cannot read \`submission.${option}\` ${file}: ${code ?? message}`, { cause })
  }
}

function parse<T>(option: string, file: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    // What OpenSSL says of a file that is no PEM helps nobody, and a key must not be quoted.
    throw new ConfigError(`Expected \`submission.${option}\` ${file} to be a PEM file`, { cause })
  }
}
