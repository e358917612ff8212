import { readFileSync, renameSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createSigner } from '../../../src/mail/dkim/signer.ts'
import { type Message, messageFromBytes } from '../../../src/mail/message.ts'
import { makeFile, makeKey, signedWith, verify } from '../../support/dkim-keys.ts'

const rsa = makeKey('example.org', 'rsa1', 'rsa')
const ed25519 = makeKey('example.org', 'ed1', 'ed25519')
const keys = [rsa, ed25519]
const bothPass = ['pass example.org rsa1', 'pass example.org ed1']
const signer = await createSigner([signedWith('example.org', keys)])

const messageOf = (text: string) => messageFromBytes(Buffer.from(text.replaceAll('\n', '\r\n')))

async function octetsOf(message: Message): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of message.open()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

test.each<[string, string, readonly string[]]>([
  ['a group', 'Team: a@example.org, c@example.com;', bothPass],
  ['an author of ours behind one of others', 'c@example.com, a@example.org', bothPass],
  [
    'comments that look like addresses',
    '(x (nested \\) ) c@example.com) a@example.org (c@example.com)',
    bothPass,
  ],
  ['a quoted local part that looks like an address', '"c@example.com"@example.org', bothPass],
  ['capitals and a final dot', 'A@EXAMPLE.Org.', bothPass],
  ['folded white space', '\n =?utf-8?q?a?=\n\t<a@example.org>', bothPass],
  [
    'two thousand authors',
    Array.from({ length: 2_000 }, (_, index) => `u${index}@example.org`).join(',\n '),
    bothPass,
  ],
  ['our address as the local part of another', '"a@example.org"@example.com', []],
  ['our address as a comment', 'c@example.com (a@example.org)', []],
  ['our address as a display name', '"a@example.org" <c@example.com>', []],
  ['our domain as the beginning of another', 'a@example.org.example.com', []],
])('of a From with %s the author decides, not what looks like one', async (_name, from, verdicts) => {
  const signed = await signer.sign(messageOf(`From: ${from}\nTo: b@example.net\n\nx\n`))
  expect(await verify(await octetsOf(signed), keys)).toEqual(verdicts)
})

test('however many and long the names that are signed, lines stay within 78 octets (RFC 5322 §2.1.1)', async () => {
  const many = 'X-A: 1\n'.repeat(499)
  const long = Array.from({ length: 100 }, (_, index) => `X-${'n'.repeat(71)}${100 + index}`)
  for (const [headers, fields] of [
    [['X-A'], many],
    [long, long.map((name) => `${name}: v\n`).join('')],
  ] as const) {
    const own = await createSigner([signedWith('example.org', keys, { headers })])
    const signed = await octetsOf(await own.sign(messageOf(`From: a@example.org\n${fields}\nx\n`)))
    const lines = signed.toString('latin1').split('\r\nFrom: ')[0]?.split('\r\n') ?? []
    expect(lines.length).toBeGreaterThan(50)
    expect(lines.filter((line) => line.length > 78)).toEqual([])
    expect(await verify(signed, keys)).toEqual(bothPass)
  }
})

test('a message signed while the keys are read again is signed with one of them, whole', async () => {
  const [first, second] = [makeKey('example.org', 's', 'ed25519'), makeKey('example.org', 's', 'ed25519')]
  const keyFile = makeFile(readFileSync(first.keyFile, 'utf8'))
  const own = await createSigner([{ ...signedWith('example.org', []), keys: [{ selector: 's', keyFile }] }])
  const found = new Set<string>()
  for (let round = 0; round < 20; round++) {
    const next = makeFile(readFileSync((round % 2 === 0 ? second : first).keyFile, 'utf8'))
    renameSync(next, keyFile)
    const signing = [1, 2, 3].map((n) => own.sign(messageOf(`From: a@example.org\nSubject: ${n}\n\nx\n`)))
    const [signed] = await Promise.all([Promise.all(signing), own.rereadKeys()])
    for (const message of signed) {
      const octets = await octetsOf(message)
      const verdicts = await Promise.all([first, second].map((key) => verify(octets, [key])))
      found.add(verdicts.map(([verdict]) => verdict?.split(' ')[0]).join(' '))
    }
  }
  expect([...found].sort()).toEqual(['fail pass', 'pass fail'])
})
