import { expect, test } from 'vitest'
import { statusOfLine, undefinedStatus, withoutStatus } from '../../src/smtp/enhanced-status.ts'

test.each([
  [250, '2.1.5 Ok', '2.1.5'],
  [250, '2.1.5', '2.1.5'],
  [251, '2.1.5\tOk', '2.1.5'],
  [421, '4.7.0 later', '4.7.0'],
  [550, '5.7.515 refused', '5.7.515'],
  [599, '5.999.999 odd', '5.999.999'],
] as const)('a reply of %i with the text %j has the status %s (RFC 2034 §4)', (code, line, status) => {
  expect(statusOfLine(code, line)).toBe(status)
})

test.each([
  [250, '5.1.1 another class'],
  [550, '2.0.0 another class'],
  [451, '5.7.1 another class'],
  [354, '3.0.0 no such class'],
  [550, ''],
  [550, '5'],
  [550, '5.1'],
  [550, '5.1.'],
  [550, '5.1.1: no blank'],
  [550, '5.1.1.1 one too many'],
  [550, '5.1.1000 four digits'],
  [550, '5.01.1 a leading zero (RFC 3463 §2)'],
  [550, '5.1.01 a leading zero'],
  [550, '#5.1.1 decorated'],
  [550, ' 5.1.1 not first'],
  [550, '500 users'],
] as const)('a reply of %i with the text %j has none', (code, line) => {
  expect(statusOfLine(code, line)).toBeNull()
})

test('a line is shown without the status it begins with, and otherwise as it is', () => {
  expect(withoutStatus('5.1.1 No such user', '5.1.1')).toBe('No such user')
  expect(withoutStatus('5.1.1', '5.1.1')).toBe('')
  expect(withoutStatus('No such user', '5.1.1')).toBe('No such user')
  expect(withoutStatus('5.1.10 null MX', '5.1.1')).toBe('5.1.10 null MX')
})

test.each([
  [250, '2.0.0'],
  [299, '2.0.0'],
  [450, '4.0.0'],
  [499, '4.0.0'],
  [500, '5.0.0'],
  [599, '5.0.0'],
])('a reply of %i without a status says %s (RFC 3463 §3.1)', (code, status) => {
  expect(undefinedStatus(code)).toBe(status)
})
