import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readCertificate } from '../../src/daemon/certificate.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const pair = makeCertificates(['mx.example.test']).kinds.trusted

async function files(): Promise<{ certFile: string; keyFile: string; strayKey: string; noPem: string }> {
  const directory = await temporaryDirectory()
  const at = (name: string) => path.join(directory, name)
  const { cert, key } = pair
  const stray = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  await writeFile(at('cert'), cert)
  await writeFile(at('key'), key)
  await writeFile(at('stray'), stray.export({ type: 'pkcs8', format: 'pem' }))
  await writeFile(at('none'), 'top secret')
  return { certFile: at('cert'), keyFile: at('key'), strayKey: at('stray'), noPem: at('none') }
}

test('certificate and key are read, and none where none is configured', async () => {
  const { certFile, keyFile } = await files()
  expect(await readCertificate({ certFile: null, keyFile: null })).toBeNull()
  expect(await readCertificate({ certFile, keyFile })).toEqual({ cert: pair.cert, key: pair.key })
})

test('what cannot be used is said when it is read, and no key is quoted', async () => {
  const { certFile, keyFile, strayKey, noPem } = await files()
  const complaint = (given: { certFile: string | null; keyFile: string | null }) =>
    readCertificate(given).then(
      () => '',
      (error: Error) => `${error.name}: ${error.message}`,
    )
  expect(await complaint({ certFile, keyFile: null })).toBe(
    'ConfigError: `submission.certFile` is set, `submission.keyFile` is not',
  )
  expect(await complaint({ certFile: null, keyFile })).toBe(
    'ConfigError: `submission.keyFile` is set, `submission.certFile` is not',
  )
  expect(await complaint({ certFile: '/missing', keyFile })).toBe(
    'ConfigError: Cannot read `submission.certFile` /missing: ENOENT',
  )
  expect(await complaint({ certFile, keyFile: noPem })).toBe(
    `ConfigError: Expected \`submission.keyFile\` ${noPem} to be a PEM file`,
  )
  expect(await complaint({ certFile: noPem, keyFile })).toBe(
    `ConfigError: Expected \`submission.certFile\` ${noPem} to be a PEM file`,
  )
  expect(await complaint({ certFile, keyFile: strayKey })).toBe(
    `ConfigError: The key in ${strayKey} is not that of the certificate in ${certFile}`,
  )
})
