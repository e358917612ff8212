/** Keys of domains that exist in tests only, and what DNS would say of them. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { afterAll } from 'vitest'
import type { DkimSettings } from '../../src/config/settings.ts'
import { type KeyRecord, recordOf } from '../../src/mail/dkim/record.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'mxpress-dkim-'))
afterAll(() => rm(directory, { recursive: true, force: true }))

/** A new key in a file, PEM, mode 0600. */
export interface TestKey {
  readonly selector: string
  readonly keyFile: string
  readonly record: KeyRecord
}

let made = 0

/** Makes a key pair for a domain. */
export function makeKey(domain: string, selector: string, algorithm: 'rsa' | 'ed25519'): TestKey {
  const { privateKey } =
    algorithm === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
      : generateKeyPairSync('ed25519')
  const keyFile = path.join(directory, `${++made}.pem`)
  writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 })
  return { selector, keyFile, record: recordOf({ domain, selector }, createPublicKey(privateKey)) }
}

/** A file with the given text, mode 0600. */
export function makeFile(text: string): string {
  const file = path.join(directory, `${++made}.pem`)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

/** How a domain is signed with some keys. */
export function signedWith(
  domain: string,
  keys: readonly TestKey[],
  options: Partial<DkimSettings> = {},
): DkimSettings {
  return {
    domain,
    keys: keys.map(({ selector, keyFile }) => ({ selector, keyFile })),
    headers: null,
    expireMs: null,
    resign: false,
    ...options,
  }
}

/** What mailauth finds: `pass example.org rsa`, one for each signature in the order of the message. */
export async function verify(content: Uint8Array, keys: readonly TestKey[]): Promise<readonly string[]> {
  const records = new Map(keys.map(({ record }) => [record.name.toLowerCase(), record.value]))
  const { results } = await dkimVerify(Buffer.from(content), {
    strict: true,
    resolver: async (name) => {
      const value = records.get(name.toLowerCase())
      if (value === undefined) throw Object.assign(new Error(name), { code: 'ENOTFOUND' })
      return [value.match(/.{1,255}/g) ?? []]
    },
  })
  // An unsigned message is one result of its own.
  const signatures = results.filter(({ signingDomain }) => signingDomain !== undefined)
  return signatures.map(
    ({ status, signingDomain, selector }) => `${status.result} ${signingDomain} ${selector}`,
  )
}
