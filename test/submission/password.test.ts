import { scryptSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { defaultCost, hashPassword, isPasswordHash, verifyPassword } from '../../src/submission/password.ts'
import { cheapCost } from './client.ts'

test('a password is right for its own hash only', async () => {
  const kept = await hashPassword('secret', cheapCost)
  expect(await verifyPassword('secret', kept)).toBe(true)
  expect(await verifyPassword('secret ', kept)).toBe(false)
  expect(await verifyPassword('', kept)).toBe(false)
})

test('the string is PHC: cost, salt and hash in base64 without padding, as any scrypt computes them', async () => {
  const kept = await hashPassword('secret', cheapCost)
  const [, salt = '', hash] =
    /^\$scrypt\$ln=4,r=1,p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/.exec(kept) ?? []
  const expected = scryptSync('secret', Buffer.from(salt, 'base64'), 32, { N: 16, r: 1, p: 1 })
  expect(hash).toBe(expected.toString('base64').replace(/=+$/, ''))
})

test('the same password is kept differently each time', async () => {
  expect(await hashPassword('x', cheapCost)).not.toBe(await hashPassword('x', cheapCost))
})

test('a password typed in another Unicode form is the same (RFC 8265 §4.2)', async () => {
  expect(await verifyPassword('u\u0308ber', await hashPassword('\u00fcber', cheapCost))).toBe(true)
})

test('an unknown user is wrong whatever he says, at the cost of a known one', async () => {
  expect(await verifyPassword('secret', null)).toBe(false)
  expect(defaultCost).toEqual({ logN: 15, r: 8, p: 3 })
})

test.each([
  '',
  'secret',
  '$scrypt$ln=15,r=8,p=3$AAAA$AAAA',
  `$scrypt$ln=30,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`,
  `$scrypt$ln=15,r=999,p=999$${'A'.repeat(22)}$${'A'.repeat(43)}`,
  `$scrypt$ln=0,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`,
  `$2b$12$${'A'.repeat(53)}`,
])('%j is no hash that could be used', (text) => {
  expect(isPasswordHash(text)).toBe(false)
})
