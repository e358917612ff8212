import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ConfigError } from '../../../src/config/errors.ts'
import { readKey } from '../../../src/mail/dkim/key.ts'
import { createSigner } from '../../../src/mail/dkim/signer.ts'
import { makeFile, makeKey, signedWith } from '../../support/dkim-keys.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const pemOf = (options: object = {}) =>
  String(rsa.privateKey.export({ format: 'pem', type: 'pkcs8', ...options }))
const complaintOf = async (keyFile: string): Promise<string> => {
  const error = await readKey({ selector: 's', keyFile }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ConfigError)
  return (error as Error).message.replaceAll(keyFile, 'KEY')
}

test.each([
  ['PKCS#8', pemOf(), 'rsa'],
  ['PKCS#1', pemOf({ type: 'pkcs1' }), 'rsa'],
  [
    'Ed25519',
    String(generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' })),
    'ed25519',
  ],
  ['line ends of Windows', pemOf().replaceAll('\n', '\r\n'), 'rsa'],
  ['its public key before it', `${rsa.publicKey.export({ format: 'pem', type: 'spki' })}${pemOf()}`, 'rsa'],
  ['text around it', `Bag Attributes\n${pemOf()}\n`, 'rsa'],
])('a key is read: %s', async (_name, pem, algorithm) => {
  const { key, warnings } = await readKey({ selector: 's', keyFile: makeFile(pem) })
  expect([key.algorithm, key.selector, warnings]).toEqual([algorithm, 's', []])
})

test.each([
  ['a passphrase', pemOf({ cipher: 'aes-256-cbc', passphrase: 'x' }), 'found one that needs a passphrase'],
  ['a public key', String(rsa.publicKey.export({ format: 'pem', type: 'spki' })), 'found a "PUBLIC KEY"'],
  ['a cut key', pemOf().slice(0, 400), 'found a damaged "PRIVATE KEY"'],
  ['nothing', '', 'found no PEM'],
  [
    'another kind',
    String(
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' }),
    ),
    'found one of type ec',
  ],
  [
    'a short key',
    String(
      generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey.export({ format: 'pem', type: 'pkcs8' }),
    ),
    'to have at least 1024 bits (RFC 8301 §3.2), found 512',
  ],
  ['several keys', `${pemOf()}${pemOf({ type: 'pkcs1' })}`, 'found 2: give each a file'],
  ['a large file', 'x'.repeat(70_000), 'it has 70000 octets, which no key has'],
])('what is no key to sign with is refused, and nothing of it is shown: %s', async (_name, pem, words) => {
  const message = await complaintOf(makeFile(pem))
  expect(message).toContain(words)
  const secret = pem.split('\n')[1]
  if (secret !== undefined && secret !== '') expect(message).not.toContain(secret.slice(0, 20))
})

test('a file that is not there, or is none, is named with the reason', async () => {
  expect(await complaintOf('/nonexistent/dkim.key')).toBe('Cannot read the DKIM key file KEY: ENOENT')
  expect(await complaintOf(tmpdir())).toBe('Cannot read the DKIM key file KEY: EISDIR')
})

test('a pipe that nobody writes to, and a device, hold nobody up', async () => {
  const pipe = makeFile('')
  await rm(pipe)
  await promisify(execFile)('mkfifo', [pipe])
  for (const keyFile of [pipe, '/dev/zero']) {
    expect(await complaintOf(keyFile)).toBe(
      'Cannot read the DKIM key file KEY: expected a file, found a pipe or device',
    )
  }
})

test('a key that others can read, or that is short, is warned of', async () => {
  const keyFile = makeFile(pemOf())
  chmodSync(keyFile, 0o644)
  expect((await readKey({ selector: 's', keyFile })).warnings).toEqual([
    `The key file ${keyFile} can be read by every user of this host: chmod 0600 ${keyFile}`,
  ])
  chmodSync(keyFile, 0o640)
  expect((await readKey({ selector: 's', keyFile })).warnings).toEqual([])
  const short = makeFile(
    String(
      generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey.export({
        format: 'pem',
        type: 'pkcs8',
      }),
    ),
  )
  expect((await readKey({ selector: 's', keyFile: short })).warnings).toEqual([
    `The key in ${short} has 1024 bits; receivers want 2048 (RFC 8301 §3.2)`,
  ])
})

test('every key that cannot be read is named, one a line', async () => {
  const good = makeKey('example.org', 'good', 'ed25519')
  const signer = createSigner([
    { ...signedWith('example.org', [good]), keys: [good, { selector: 'a', keyFile: '/nonexistent/a' }] },
    { ...signedWith('example.net', []), keys: [{ selector: 'b', keyFile: '/nonexistent/b' }] },
  ])
  await expect(signer).rejects.toThrow(
    'Cannot read the DKIM key file /nonexistent/a: ENOENT\nCannot read the DKIM key file /nonexistent/b: ENOENT',
  )
})
