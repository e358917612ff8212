import { expect, test } from 'vitest'
import { createSigner } from '../../../src/mail/dkim/signer.ts'
import { type Message, messageFromBytes } from '../../../src/mail/message.ts'
import { makeKey, signedWith, verify } from '../../support/dkim-keys.ts'

const ours = makeKey('example.org', 'ours', 'ed25519')
const theirs = makeKey('example.org', 'app', 'rsa')
const foreign = makeKey('example.com', 'foreign', 'ed25519')
const keys = [ours, theirs, foreign]

const messageOf = (text: string) => messageFromBytes(Buffer.from(text.replaceAll('\n', '\r\n')))
const unsigned = messageOf('From: a@example.org\nTo: b@example.net\n\nx\n')

/** Signed by a program that then hands it in. */
async function signedBy(key: typeof ours, domain: string, message: Message = unsigned): Promise<Message> {
  const signed = await (await createSigner([signedWith(domain, [key])])).sign(message)
  return messageFromBytes(signed.content ?? new Uint8Array())
}

/** A signer that notes what it asks the DNS for. */
async function signerAsking(options: { readonly resign?: boolean } = {}) {
  const asked: string[] = []
  const lookUp = async (name: string): Promise<readonly string[]> => {
    asked.push(name)
    const key = keys.find(({ record }) => record.name === name)
    if (key === undefined) throw new Error(`no ${name}`)
    return [key.record.value]
  }
  return { asked, signer: await createSigner([signedWith('example.org', [ours], options)], { lookUp }) }
}

const verdicts = (message: Message) => verify(message.content ?? new Uint8Array(), keys)

test('a message with a valid signature of the domain stays as it is', async () => {
  const { asked, signer } = await signerAsking()
  const handedIn = await signedBy(theirs, 'example.org')
  expect(await signer.sign(handedIn)).toBe(handedIn)
  expect(asked).toEqual(['app._domainkey.example.org'])
})

test('our own signature is known without asking the DNS', async () => {
  const { asked, signer } = await signerAsking()
  const handedIn = await signedBy(ours, 'example.org')
  expect(await signer.sign(handedIn)).toBe(handedIn)
  expect(asked).toEqual([])
})

test('with `resign` it is signed all the same', async () => {
  const { signer } = await signerAsking({ resign: true })
  const signed = await signer.sign(await signedBy(theirs, 'example.org'))
  expect(await verdicts(signed)).toEqual(['pass example.org ours', 'pass example.org app'])
})

test('a signature that is broken, unknown or not readable is none', async () => {
  const { signer } = await signerAsking()
  const valid = Buffer.from((await signedBy(theirs, 'example.org')).content ?? []).toString('latin1')
  for (const text of [
    valid.replace(/x\r\n$/, 'y\r\n'),
    valid.replaceAll('s=app', 's=gone'),
    `DKIM-Signature: d=example.org; s=ours; nonsense\r\n${valid.split('\r\nFrom')[1] === undefined ? '' : `From${valid.split('\r\nFrom')[1]}`}`,
  ]) {
    const [first] = await verdicts(await signer.sign(messageFromBytes(Buffer.from(text, 'latin1'))))
    expect(first).toBe('pass example.org ours')
  }
})

test('a signature over a part of the body does not count (RFC 6376 §8.2)', async () => {
  const { signer } = await signerAsking()
  const { dkimSign } = await import('mailauth/lib/dkim/sign.js')
  const { readFileSync } = await import('node:fs')
  const privateKey = readFileSync(theirs.keyFile, 'utf8')
  const content = Buffer.from(unsigned.content ?? [])
  const { signatures } = await dkimSign(content, {
    signingDomain: 'example.org',
    selector: 'app',
    privateKey,
    signatureData: [{ signingDomain: 'example.org', selector: 'app', privateKey, maxBodyLength: 0 }],
  })
  const handedIn = messageFromBytes(Buffer.concat([Buffer.from(signatures), content]))
  expect(await verdicts(handedIn)).toEqual(['pass example.org app'])
  expect((await verdicts(await signer.sign(handedIn)))[0]).toBe('pass example.org ours')
})

test('who hands in a message does not choose what is looked up', async () => {
  const { asked, signer } = await signerAsking()
  const valid = Buffer.from((await signedBy(theirs, 'example.org')).content ?? []).toString('latin1')
  const at = valid.indexOf('From: a@')
  const fields = Array.from({ length: 50 }, (_, index) =>
    valid
      .slice(0, at)
      .replace('s=app', `s=s${index}`)
      .replace('d=example.org', index % 2 === 0 ? 'd=evil.example' : 'd=example.org'),
  )
  const signed = await signer.sign(messageFromBytes(Buffer.from(fields.join('') + valid.slice(at), 'latin1')))
  expect((await verdicts(signed))[0]).toBe('pass example.org ours')
  expect(asked.toSorted()).toEqual([1, 3, 5, 7, 9].map((index) => `s${index}._domainkey.example.org`))
})

test('a signature of another domain is left alone, and ours is added', async () => {
  const { asked, signer } = await signerAsking()
  const signedThere = await signedBy(
    foreign,
    'example.com',
    messageOf('From: a@example.com\nTo: b@example.net\n\nx\n'),
  )
  const text = Buffer.from(signedThere.content ?? [])
    .toString('latin1')
    .replace('From: a@example.com', 'From: a@example.org')
  const signed = await signer.sign(messageFromBytes(Buffer.from(text, 'latin1')))
  expect((await verdicts(signed))[0]).toBe('pass example.org ours')
  expect(asked).toEqual([])
})
