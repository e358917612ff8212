import { expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import { collectRecipients } from '../../src/mail/envelope.ts'

test('a mailbox in To, Cc and Bcc gets one copy, under the first field it stood in', () => {
  const [ann, bob, cyd] = ['ann@x.test', 'bob@x.test', 'cyd@x.test'].map(parseAddress)
  if (!ann || !bob || !cyd) throw new Error('three addresses expected')
  const recipients = collectRecipients({ bcc: [ann, bob, cyd], cc: [bob, ann, bob], to: [ann, ann] })
  expect(recipients).toEqual([
    { address: ann, field: 'to' },
    { address: bob, field: 'cc' },
    { address: cyd, field: 'bcc' },
  ])
})

test('two spellings of a mailbox are one recipient, in the first spelling', () => {
  const to = [parseAddress('"bob"@bücher.test')]
  const bcc = [parseAddress('bob@xn--bcher-kva.test')]
  expect(collectRecipients({ to, bcc })).toEqual([{ address: to[0], field: 'to' }])
})

test('local parts that differ in case are two recipients (RFC 5321 §2.4)', () => {
  expect(collectRecipients({ cc: [parseAddress('Bob@x.test'), parseAddress('bob@x.test')] })).toHaveLength(2)
})

test('no fields, no recipients', () => {
  expect(collectRecipients({})).toEqual([])
})
