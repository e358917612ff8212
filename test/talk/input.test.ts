import { describe, expect, test } from 'vitest'
import { TalkInputError } from '../../src/talk/errors.ts'
import { type Expectation, meets, parseExpectation } from '../../src/talk/expectation.ts'
import { explain, explainKeyword } from '../../src/talk/explain.ts'
import { type HeardReply, ReplyAssembler } from '../../src/talk/heard-reply.ts'
import { directives, parseInput } from '../../src/talk/input.ts'
import { checkScript, linesOfScript } from '../../src/talk/script.ts'

describe('a line', () => {
  test.each([
    ['', { kind: 'nothing' }],
    ['   ', { kind: 'nothing' }],
    ['# comment', { kind: 'nothing' }],
    ['EHLO me.test ', { kind: 'command', line: 'EHLO me.test ' }],
    [' NOOP', { kind: 'command', line: ' NOOP' }],
    [':WAIT 2s', { kind: 'wait', ms: 2000 }],
    [':data a b.eml', { kind: 'data', file: 'a b.eml' }],
    [': bdat x', { kind: 'bdat', file: 'x' }],
    [':send \\x41\\r\\n\\\\ü', { kind: 'send', octets: Buffer.from('A\r\n\\ü') }],
    [':ehlo', { kind: 'ehlo' }],
    [':help', { kind: 'help' }],
    [':drop', { kind: 'drop' }],
  ])('%j is what it says', (line, input) => {
    expect(parseInput(line)).toEqual(input)
  })

  test.each([
    [':', /unknown word `:`; expected one of :ehlo :expect/],
    [':expct 250', /unknown word `:expct`/],
    [':expect', /:expect: expected `250`/],
    [':expect 2x0', /found `2x0`/],
    [':expect 150', /:expect/],
    [':expect 250|', /:expect/],
    [':wait soon', /:wait: expected "250ms"/],
    [':wait 25d', /at most 24d/],
    [':data', /:data: expected a file/],
    [':send \\x4', /found `\\x`/],
    [':send a\\', /found `\\`/],
    [':send \\q', /found `\\q`/],
  ])('%j is refused, and what was expected is said', (line, message) => {
    expect(() => parseInput(line)).toThrow(TalkInputError)
    expect(() => parseInput(line)).toThrow(message)
  })

  test('that help shows is one that is known', () => {
    for (const { name } of directives) {
      expect(() => parseInput(`:${name}`)).not.toThrow(/unknown/)
    }
  })
})

const reply = (code: number | null, ...lines: string[]): HeardReply => ({ code, status: null, lines })

test.each([
  ['250', reply(250), true],
  ['250', reply(251), false],
  ['25x', reply(259), true],
  ['2XX', reply(354), false],
  ['250|3xx', reply(354), true],
  ['any', reply(599), true],
  ['any', reply(null, 'SSH'), false],
  ['550 5.1.1', reply(550, '5.1.1 No'), true],
  ['550 no', reply(550, '5.1.1 No'), true],
  ['550 yes', reply(550, '5.1.1 No'), false],
  ['close', reply(250), false],
])('%s and %j: %s', (written, heard, isMet) => {
  expect(meets(heard, parseExpectation(written) as Expectation)).toBe(isMet)
})

describe('a script', () => {
  test('has lines, whatever editor wrote it', () => {
    expect(linesOfScript('\ufeffEHLO x\r\n\nQUIT\n')).toEqual(['EHLO x', '', 'QUIT'])
    expect(linesOfScript('EHLO x\nQUIT')).toEqual(['EHLO x', 'QUIT'])
    expect(linesOfScript('')).toEqual([])
  })

  test('is looked through before it is said: its files are known, its mistakes have numbers', () => {
    expect(
      checkScript(['EHLO x', ':data a.eml', 'DATA', ':no directive', '# no comment', '.', ':bdat b.eml']),
    ).toEqual(['a.eml', 'b.eml'])
    expect(() => checkScript(['EHLO x', ':no'])).toThrow('line 2: unknown word `:no`')
    expect(() => checkScript(['DATA', 'content', '..'])).toThrow(
      'line 1: expected a line with a single dot behind DATA',
    )
  })

  test('has no content behind a DATA that it expects to be refused', () => {
    expect(checkScript(['DATA', ':expect 554', 'QUIT'])).toEqual([])
    expect(() => checkScript(['DATA', ':expect 354', 'QUIT'])).toThrow('line 1')
    expect(() => checkScript(['data ', ':expect any', 'QUIT'])).toThrow('line 1')
  })
})

test('replies are put together leniently, and every line belongs to one', () => {
  const assembler = new ReplyAssembler()
  const heard = ['250-a', '250', '220 ESMTP', 'hello', '250-x', 'stray', '550 5.1.1 y', '99 no', '250-'].map(
    (line) => assembler.push(line),
  )
  expect(heard).toEqual([
    null,
    { code: 250, status: null, lines: ['a', ''] },
    { code: 220, status: null, lines: ['ESMTP'] },
    { code: null, status: null, lines: ['hello'] },
    null,
    null,
    { code: 550, status: '5.1.1', lines: ['x', 'stray', '5.1.1 y'] },
    { code: null, status: null, lines: ['99 no'] },
    null,
  ])
  expect(assembler.isMidReply).toBe(true)
})

describe('an explanation', () => {
  test.each([
    [{ ...reply(550, '5.1.1 No'), status: '5.1.1' as const }, 'RCPT', 'no such mailbox'],
    [{ ...reply(452, '4.2.2 No'), status: '4.2.2' as const }, 'RCPT', 'the mailbox is full: try later'],
    [{ ...reply(500, '5.5.2 No'), status: '5.5.2' as const }, 'FOO', 'command not understood'],
    [reply(250, 'ok'), 'RCPT', 'recipient accepted'],
    [reply(250, 'ok'), 'content', 'the server has the message and answers for it'],
    [reply(250, 'ok'), 'constructor', 'done'],
    [reply(220, 'hi'), 'greeting', 'ready for EHLO'],
    [reply(334, 'VXNlcm5hbWU6'), 'AUTH', 'asks "Username:", in base64'],
    [reply(334, 'AAECAw=='), 'AUTH', 'go on with AUTH: base64, or * to give up'],
    [reply(299), 'X', 'done'],
    [reply(null, 'SSH'), 'greeting', 'this is no SMTP reply'],
  ])('%j to %s: %s', (heard, command, words) => {
    expect(explain(heard, command)).toBe(words)
  })

  test('of an extension is there where we know it', () => {
    expect(explainKeyword('SIZE 1000')).toBe('the largest message, in octets')
    expect(explainKeyword('auth=LOGIN')).toBe('login, in these ways')
    expect(explainKeyword('XYZZY')).toBe('')
    expect(explainKeyword('toString')).toBe('')
  })
})
