import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { compareRecord, recordOf, zoneLine } from '../../../src/mail/dkim/record.ts'

// RFC 8463 §A.2: the key and its record.
const rfcKey = createPublicKey({
  key: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
  format: 'jwk',
})
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey
const named = { domain: 'football.example.com', selector: 'brisbane' }

test('the record of an Ed25519 key is that of RFC 8463 §A.2', () => {
  expect(recordOf(named, rfcKey)).toEqual({
    name: 'brisbane._domainkey.football.example.com',
    value: 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
  })
})

test('a zone line is cut into strings of 255 octets at most (RFC 1035 §3.3.14)', () => {
  const record = recordOf(named, rsa)
  const line = zoneLine(record)
  expect(line).toMatch(/^brisbane\._domainkey\.football\.example\.com\. IN TXT \( "[^"]{255}" "[^"]+" \)$/)
  expect([...line.matchAll(/"([^"]*)"/g)].map(([, string]) => string).join('')).toBe(record.value)
  expect(zoneLine(recordOf(named, rfcKey))).toMatch(/^\S+ IN TXT "v=DKIM1; k=ed25519; p=[^"]+"$/)
})

const spki = rsa.export({ format: 'der', type: 'spki' }).toString('base64')
const otherSpki = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  .publicKey.export({ format: 'der', type: 'spki' })
  .toString('base64')
const pkcs1 = rsa.export({ format: 'der', type: 'pkcs1' }).toString('base64')

test.each([
  ['as we publish it', [`v=DKIM1; k=rsa; p=${spki}`]],
  ['without v= and k=', [`p=${spki}`]],
  ['as the bare key of RFC 6376 §3.6.1', [`v=DKIM1; p=${pkcs1};`]],
  ['with blanks in the key', [`v=DKIM1;k=rsa;p=${spki.slice(0, 80)} ${spki.slice(80)}`]],
  ['with restrictions that allow it', [`v=DKIM1; h=sha1:sha256; s=*; t=s; p=${spki}`]],
])('a record matches: %s', (_name, records) => {
  expect(compareRecord(records, rsa)).toEqual({
    kind: 'matches',
    text: 'It is the record of this key.',
    remarks: [],
  })
})

test('a record under test matches, and is remarked on', () => {
  expect(compareRecord([`v=DKIM1; t=y:s; p=${spki}`], rsa).remarks).toEqual([
    'It says that DKIM is being tested (t=y): receivers may ignore the signature.',
  ])
})

test.each([
  ['none', [], 'missing', 'There is no TXT record.'],
  ['two', ['v=DKIM1; p=', 'v=DKIM1; p='], 'wrong', 'There are 2 TXT records'],
  [
    'another text',
    ['google-site-verification'],
    'wrong',
    'It is no list of tags: "google-site-verification"',
  ],
  ['a tag twice', ['p=a; p=b'], 'wrong', 'It is no list of tags'],
  ['another version', [`v=DKIM2; p=${spki}`], 'wrong', 'It must begin with v=DKIM1'],
  ['a version that comes late', [`p=${spki}; v=DKIM1`], 'wrong', 'It must begin with v=DKIM1'],
  ['no key', ['v=DKIM1; k=rsa'], 'wrong', 'It has no key (p=)'],
  ['a revoked key', ['v=DKIM1; p='], 'wrong', 'It says that the key is revoked'],
  ['no SHA-256', [`v=DKIM1; h=sha1; p=${spki}`], 'wrong', 'It forbids SHA-256 (h=sha1).'],
  ['not for mail', [`v=DKIM1; s=other; p=${spki}`], 'wrong', 'It is not for mail (s=other).'],
  [
    'another type',
    [`v=DKIM1; k=ed25519; p=${spki}`],
    'wrong',
    'It is for a key of type "ed25519" (k=), and this one is rsa.',
  ],
  ['another key', [`v=DKIM1; p=${otherSpki}`], 'wrong', 'It is the record of another key.'],
  ['a cut key', [`v=DKIM1; p=${spki.slice(0, 200)}`], 'wrong', 'It is the record of another key.'],
  ['control characters', ['\u001b[31m'], 'wrong', 'It is no list of tags: "\\u001b[31m"'],
])('a record does not match: %s', (_name, records, kind, words) => {
  const finding = compareRecord(records, rsa)
  expect([finding.kind, finding.remarks]).toEqual([kind, []])
  expect(finding.text).toContain(words)
})
