import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { makeCertificates } from '../../src/sandbox/certificates.ts'

const { ca, kinds } = makeCertificates(['mx.accepts.test', 'mx.slow.test'])
const authority = new X509Certificate(ca)
const read = (kind: keyof typeof kinds) => new X509Certificate(kinds[kind].cert)

test('the authority says that it is one (RFC 5280 §4.2.1.9) and vouches for itself', () => {
  expect([authority.ca, authority.verify(authority.publicKey)]).toEqual([true, true])
})

test('the good certificate is signed by the authority and names every host (RFC 5280 §4.2.1.6)', () => {
  const good = read('trusted')
  expect(good.verify(authority.publicKey)).toBe(true)
  expect(good.checkIssued(authority)).toBe(true)
  expect(good.subjectAltName).toBe('DNS:mx.accepts.test, DNS:mx.slow.test')
  expect(good.ca).toBe(false)
})

test('the expired certificate ended in the past, the good one has not', () => {
  expect(read('expired').validToDate.getTime()).toBeLessThan(Date.now())
  expect(read('expired').verify(authority.publicKey)).toBe(true)
  expect(read('trusted').validToDate.getTime()).toBeGreaterThan(Date.now())
  expect(read('trusted').validFromDate.getTime()).toBeLessThan(Date.now())
})

test('the self-signed certificate is vouched for by its own key alone', () => {
  const own = read('self-signed')
  expect([own.verify(own.publicKey), own.verify(authority.publicKey)]).toEqual([true, false])
})

test('the wrongly named certificate names none of the hosts', () => {
  expect(read('wrong-name').checkHost('mx.accepts.test')).toBeUndefined()
  expect(read('trusted').checkHost('mx.accepts.test')).toBe('mx.accepts.test')
})

test('two starts share no key', () => {
  expect(makeCertificates(['a.test']).ca).not.toBe(ca)
})
