import { expect, test } from 'vitest'
import { AddressError, formatAddress } from '../../src/mail/address.ts'
import { MessageError } from '../../src/mail/message-error.ts'
import { type LocalMail, prepareLocal } from '../../src/submission/local-mail.ts'

const host = {
  hostname: 'mail.sender.test',
  user: 'www',
  uid: 33,
  id: '4D1A',
  now: Date.UTC(2026, 10, 21, 7),
}
const prepare = (text: string, mail: Partial<LocalMail> = {}) => {
  const octets = Buffer.from(text)
  const whole = { octets, recipients: [], hasHeaderRecipients: mail.recipients === undefined, ...mail }
  const { message, envelope } = prepareLocal(whole, host)
  const content = Buffer.from(message.content ?? []).toString()
  const { reversePath, recipients } = envelope
  return {
    content,
    envelope,
    from: reversePath === null ? '<>' : formatAddress(reversePath),
    to: recipients.map(({ address, field }) => `${field} ${formatAddress(address)}`),
  }
}

test('recipients are those of the arguments; the sender is the user at this host', () => {
  const { content, from, to } = prepare('Subject: x\n\nhello\n', {
    recipients: ['bob@example.test', 'Carol <carol>, root'],
  })
  expect(from).toBe('www@mail.sender.test')
  expect(to).toEqual(['to bob@example.test', 'to carol@mail.sender.test', 'to root@mail.sender.test'])
  expect(content).toMatch(
    /^Received: by mail\.sender\.test \(mxpress, from userid 33\)\r\n\tid 4D1A; Sat, 21 Nov 2026 07:00:00 \+0000\r\nDate: Sat, 21 Nov 2026 07:00:00 \+0000\r\nMessage-ID: <[^>]+>\r\nFrom: <www@mail\.sender\.test>\r\nSubject: x\r\n\r\nhello\r\n$/,
  )
})

test('with -t they are those of To, Cc and Bcc, and Bcc does not leave', () => {
  const header = 'To: a@x.test, "B, b" <b@x.test>\nCc: c@x.test\nBcc: d@x.test,\n a@x.test\n'
  const { content, to } = prepare(`From: me@y.test\n${header}\nhi\n`)
  expect(to).toEqual(['to a@x.test', 'to b@x.test', 'cc c@x.test', 'bcc d@x.test'])
  expect(content).not.toContain('d@x.test')
})

test('without -t those of the header get nothing', () => {
  expect(prepare('To: a@x.test\n\nhi\n', { recipients: ['b@x.test'] }).to).toEqual(['to b@x.test'])
})

test('with -t arguments are recipients besides', () => {
  expect(prepare('To: a@x.test\n\nhi\n', { recipients: ['b@x.test'], hasHeaderRecipients: true }).to).toEqual(
    ['to b@x.test', 'to a@x.test'],
  )
})

test('a message that is resent goes to those it is resent to (RFC 5322 §3.6.6)', () => {
  const text = 'Resent-To: new@x.test\nResent-From: me@y.test\nTo: old@x.test\nFrom: me@y.test\n\nhi\n'
  expect(prepare(text).to).toEqual(['to new@x.test'])
})

test.each([
  ['<>', '<>'],
  ['', '<>'],
  ['root', 'root@mail.sender.test'],
  ['alice@example.test', 'alice@example.test'],
])('-f %j is the reverse-path %s', (reversePath, from) => {
  expect(prepare('To: a@x.test\n\nhi\n', { reversePath }).from).toBe(from)
})

test.each([
  ['Cron Daemon', 'Cron Daemon <www@mail.sender.test>'],
  ['O. Daemon', '"O. Daemon" <www@mail.sender.test>'],
  ['Jörg', '=?UTF-8?Q?J=C3=B6rg?= <www@mail.sender.test>'],
  ['x\r\nBcc: evil@x.test', '"x Bcc: evil@x.test" <www@mail.sender.test>'],
])('-F %j is the name in a From that the message lacks', (fullName, field) => {
  expect(prepare('To: a@x.test\n\nhi\n', { fullName }).content).toContain(`\r\nFrom: ${field}\r\n`)
  expect(prepare('From: a@y.test\nTo: a@x.test\n\nhi\n', { fullName }).content).not.toContain(field)
})

test.each([['hello\n'], ['\nhello\n']])('%j is text only', (text) => {
  const { content } = prepare(text, { recipients: ['a@x.test'], fullName: 'Cron' })
  expect(content).toMatch(/\r\nFrom: Cron <www@mail\.sender\.test>\r\n\r\nhello\r\n$/)
})

test('wishes about reports go with each recipient (RFC 3461)', () => {
  const { envelope } = prepare('To: a@x.test\n\nhi\n', {
    dsn: { ret: 'HDRS', envid: 'x' },
    recipientDsn: { notify: ['NEVER'] },
  })
  expect(envelope.dsn).toEqual({ ret: 'HDRS', envid: 'x' })
  expect(envelope.recipients[0]?.dsn).toEqual({ notify: ['NEVER'] })
})

test('a message to nobody, or to what is no address, is an error', () => {
  expect(() => prepare('Subject: x\n\nhi\n')).toThrow(MessageError)
  expect(() => prepare('To: a@b@c\n\nhi\n')).toThrow(AddressError)
  expect(() => prepare('\n', { recipients: ['a b@x.test'] })).toThrow(AddressError)
})
