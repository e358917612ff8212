import { expect, test } from 'vitest'
import { prepareContent } from '../../src/submission/content.ts'
import { Refusal } from '../../src/submission/refusal.ts'

const alice = { localPart: 'alice', domain: 'sender.test' }
const received = 'Received: from x ([127.0.0.1])\r\n\tby mail.sender.test with ESMTP id 1;\r\n\tnow\r\n'
const now = () => Date.UTC(2026, 10, 21, 7)

const prepare = (text: string, reversePath: typeof alice | null = alice) => {
  const envelope = { reversePath, recipients: [] }
  const message = prepareContent(Buffer.from(text, 'latin1'), {
    envelope,
    hostname: 'mail.sender.test',
    received,
    now,
  })
  return Buffer.from(message.content ?? []).toString('latin1')
}

const complete = 'Date: Sat, 21 Nov 2026 07:00:00 +0000\r\nMessage-ID: <1@a.test>\r\nFrom: a@a.test\r\n'
const added = /^Date: Sat, 21 Nov 2026 07:00:00 \+0000\r\nMessage-ID: <[0-9a-f-]+@mail\.sender\.test>\r\n/

test('a complete message is kept octet for octet behind the Received field (RFC 5321 §4.4)', () => {
  const text = `${complete}X:  odd\t spacing \r\n\r\nbody\r\n..\r\n`
  expect(prepare(text)).toBe(received + text)
})

test('a missing Date and Message-ID are added (RFC 6409 §8)', () => {
  const content = prepare('From: a@a.test\r\n\r\nhi\r\n')
  expect(content.slice(received.length)).toMatch(added)
  expect(content.slice(received.length).replace(added, '')).toBe('From: a@a.test\r\n\r\nhi\r\n')
})

test('a missing From is the reverse-path, or MAILER-DAEMON for the null reverse-path', () => {
  expect(prepare('Subject: x\r\n\r\nhi\r\n')).toContain(
    '\r\nFrom: <alice@sender.test>\r\nSubject: x\r\n\r\nhi\r\n',
  )
  expect(prepare('Subject: x\r\n\r\nhi\r\n', null)).toContain(
    '\r\nFrom: <MAILER-DAEMON@mail.sender.test>\r\n',
  )
})

test.each([
  ['text only', 'hello\r\nyou\r\n'],
  ['text that begins with a blank line', '\r\nhello\r\nyou\r\n'],
])('%s gets a header', (_name, text) => {
  const content = prepare(text).slice(received.length)
  expect(content.replace(added, '')).toBe('From: <alice@sender.test>\r\n\r\nhello\r\nyou\r\n')
})

test('an empty message gets a header', () => {
  expect(prepare('').slice(received.length).replace(added, '')).toBe('From: <alice@sender.test>\r\n\r\n')
})

test('a forgotten blank line is put before the first line that is no field', () => {
  expect(prepare(`${complete}hello you\r\nbody\r\n`)).toBe(`${received}${complete}\r\nhello you\r\nbody\r\n`)
})

test('Bcc and Return-Path are removed with their folded lines', () => {
  const text = `Return-Path: <x@y.test>\r\n${complete}Bcc: secret@example.test,\r\n\tother@example.test\r\nSubject: s\r\n\r\nBcc: body\r\n`
  expect(prepare(text)).toBe(`${received}${complete}Subject: s\r\n\r\nBcc: body\r\n`)
})

test('an mbox line before the header is removed', () => {
  expect(prepare(`From alice Sat Nov 21 07:00:00 2026\r\n${complete}\r\nx\r\n`)).toBe(
    `${received}${complete}\r\nx\r\n`,
  )
})

test('a line over 998 octets is re-encoded (RFC 5321 §4.5.3.1.6)', () => {
  const content = prepare(`${complete}\r\n${'x'.repeat(2000)}\r\n`)
  expect(content).toContain('Content-Transfer-Encoding: ')
  expect(Math.max(...content.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998)
})

const refusalOf = (text: string): unknown => {
  try {
    return prepare(text)
  } catch (error) {
    return error instanceof Refusal ? `${error.responseCode} ${error.message}` : error
  }
}

test('100 Received fields pass, 101 are a loop (RFC 5321 §6.3)', () => {
  const hops = (count: number) => `${'Received: by x; now\r\n'.repeat(count)}${complete}\r\nx\r\n`
  expect(refusalOf(hops(100))).toBe(received + hops(100))
  expect(refusalOf(hops(101))).toBe('554 5.4.6 mail loop: 101 Received fields')
})

test('a header of a mebibyte passes, a longer one is refused, be it of many fields or of one', () => {
  const mebibyte = 1024 * 1024
  const fill = (unit: string) => complete + unit.repeat((mebibyte - complete.length) / unit.length)
  const refusal = new Refusal(552, '5.3.4', 'header too big, at most 1048576 octets')
  for (const unit of ['X: y\r\n', 'X: y\r\n 23456789012\r\n']) {
    expect(prepare(`${fill(unit)}\r\nbody\r\n`)).toContain('\r\n\r\nbody\r\n')
    expect(() => prepare(`${fill(unit)}${unit}\r\nbody\r\n`)).toThrow(refusal)
    expect(() => prepare(`${fill(unit)}${unit}`)).toThrow(refusal)
  }
  expect(prepare(`${complete}\r\n${'X: y\r\n'.repeat(mebibyte / 4)}`)).toContain('X: y')
})

test('octets in the header that are neither ASCII nor UTF-8 are refused with their line (RFC 6532 §3.1)', () => {
  expect(refusalOf('From: a@a.test\r\nSubject: caf\xe9\r\n\r\nx\r\n')).toBe(
    '554 5.6.0 line 2: the subject field holds octets that are neither ASCII nor UTF-8',
  )
})
