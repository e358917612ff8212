import { PassThrough } from 'node:stream'
import type { SMTPServerDataStream } from 'smtp-server'
import { expect, test } from 'vitest'
import { ReceiveBudget, receiveContent } from '../../src/submission/received-octets.ts'

const incoming = (isTooBig = false): SMTPServerDataStream =>
  Object.assign(new PassThrough(), { byteLength: 0, sizeExceeded: isTooBig })
const asText = async (octets: Uint8Array) => Buffer.from(octets).toString()

test('messages share the budget: who does not fit is told to come back, who does is not harmed', async () => {
  const budget = new ReceiveBudget(10)
  const [first, second] = [incoming(), incoming()]
  const [taken, refused] = [receiveContent(first, budget, asText), receiveContent(second, budget, asText)]
  first.write('12345678')
  await new Promise(setImmediate)
  second.end('abc')
  await expect(refused).rejects.toThrow('4.3.1 too much mail is coming in just now, try again later')
  first.end('90')
  expect(await taken).toBe('1234567890')
})

test.each([
  ['used', incoming(), asText],
  ['too big', incoming(true), asText],
  ['refused by who uses it', incoming(), () => Promise.reject(new Error('no'))],
] as const)('what a message took is free again when it was %s', async (_name, stream, use) => {
  const budget = new ReceiveBudget(10)
  stream.end('1234567890')
  await receiveContent<unknown>(stream, budget, use).catch(() => {})
  expect(budget.take(10)).toBe(true)
})

test('what a message took is free again when its client leaves', async () => {
  const budget = new ReceiveBudget(10)
  const stream = incoming()
  const received = receiveContent(stream, budget, asText)
  stream.write('12345')
  await new Promise(setImmediate)
  stream.destroy(new Error('gone'))
  await expect(received).rejects.toThrow('gone')
  expect(budget.take(10)).toBe(true)
})

test('a message is read to its end although it does not fit, so that the reply follows the final dot', async () => {
  const stream = incoming()
  const received = receiveContent(stream, new ReceiveBudget(1), asText)
  const state = { isSettled: false }
  const settle = () => {
    state.isSettled = true
  }
  received.then(settle, settle)
  stream.write('12345')
  await new Promise(setImmediate)
  expect(state.isSettled).toBe(false)
  stream.end('6')
  await expect(received).rejects.toThrow('4.3.1')
})
