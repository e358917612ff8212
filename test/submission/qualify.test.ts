import { expect, test } from 'vitest'
import { qualifyHeader, qualifyList } from '../../src/submission/qualify.ts'

const host = 'h.test'

test.each([
  ['root', 'root@h.test'],
  ['root (Cron Daemon)', 'root@h.test (Cron Daemon)'],
  ['Bob <bob>', 'Bob <bob@h.test>'],
  ['root, "a, b" <c>, d@x.test,e', 'root@h.test, "a, b" <c@h.test>, d@x.test,e@h.test'],
  ['root,\r\n\tbob', 'root@h.test,\r\n\tbob@h.test'],
])('%j becomes %j', (list, qualified) => {
  expect(qualifyList(list, host)).toBe(qualified)
})

test.each([
  'a@b.test',
  '<>',
  '',
  'two words',
  '"quoted"',
  'a (b) c',
  'Bob <bob@x.test>',
  '(only a comment)',
  '"a@b" <c@d.test>',
])('%j stays', (list) => {
  expect(qualifyList(list, host)).toBe(list)
})

const header = (text: string) =>
  Buffer.from(qualifyHeader(Buffer.from(text, 'latin1'), host)).toString('latin1')

test('addresses in the header are qualified, and nothing else', () => {
  expect(header('From: root (Cron)\nTo: bob,\n carol\nSubject: root\n\nTo: dave\n')).toBe(
    'From: root@h.test (Cron)\nTo: bob@h.test,\n carol@h.test\nSubject: root\n\nTo: dave\n',
  )
})

test.each([
  'Subject: a\n\nTo: bob\n',
  'no header at all\nTo: bob\n',
  '\nTo: bob\n',
  'To: a@b.test\r\nCc: group: x, y;\r\n\r\nbody\xff\r\n',
  'From alice Sat Nov 21\nTo: a@b.test\n\n',
  '',
])('%j stays octet for octet', (text) => {
  expect(header(text)).toBe(text)
})
