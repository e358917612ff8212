import { expect, test } from 'vitest'
import { observeDkim } from '../../src/doctor/dkim-keys.ts'
import { Questions } from '../../src/doctor/questions.ts'
import { makeKey, signedWith } from '../support/dkim-keys.ts'
import { zoneResolver } from '../support/zone-resolver.ts'

const key = makeKey('example.org', 'mx1', 'rsa')
const resolver = zoneResolver({ [key.record.name]: { txt: [key.record.value] } })
const questions = () => new Questions(resolver, new AbortController().signal)

test('the record may be that of our key: what receivers verify decides', async () => {
  const lasting = [signedWith('example.org', [key])]
  expect(await observeDkim(questions(), 'example.org', lasting)).toMatchObject({
    keys: [{ kind: 'matches', evidence: [{ asked: `TXT ${key.record.name}` }, { answers: ['pass'] }] }],
  })
  const expired = [signedWith('example.org', [key], { expireMs: -86_400_000 })]
  const { keys } = await observeDkim(questions(), 'example.org', expired)
  expect(keys).toMatchObject([
    { kind: 'wrong', text: expect.stringMatching(/^A message signed with our key does not verify: /) },
  ])
})

test('the entry is the domain’s own, else that of the nearest domain above it, as in signing', async () => {
  const settings = ['example.org', 'news.example.org'].map((domain) => signedWith(domain, [key]))
  const signingDomain = async (domain: string) =>
    (await observeDkim(questions(), domain, settings)).signingDomain
  expect(await signingDomain('a.news.example.org')).toBe('news.example.org')
  expect(await signingDomain('other.example.org')).toBe('example.org')
  expect(await observeDkim(questions(), 'example.net', settings)).toMatchObject({ keys: [] })
})
