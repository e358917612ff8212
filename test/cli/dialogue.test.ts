import { expect, test } from 'vitest'
import { DialogueFormatter } from '../../src/cli/dialogue.ts'
import { plain } from '../../src/cli/terminal.ts'

const at = Date.UTC(2026, 10, 21, 7, 0, 0, 123)
const target = 'mx1.example.test [192.0.2.7]:25'

test('a session is introduced with its target once; every line has time, session and speaker', () => {
  const formatter = new DialogueFormatter(plain)
  expect([
    ...formatter.lines({ at, session: 's1', target, direction: 'server', text: '220 mx1 ESMTP' }),
    ...formatter.lines({ at: at + 1, session: 's1', target, direction: 'client', text: 'EHLO a.test' }),
  ]).toEqual([
    '07:00:00.123 s1 -- mx1.example.test [192.0.2.7]:25',
    '07:00:00.123 s1 S: 220 mx1 ESMTP',
    '07:00:00.124 s1 C: EHLO a.test',
  ])
})

test('what a server says cannot drive the terminal', () => {
  const formatter = new DialogueFormatter(plain)
  const [, line] = formatter.lines({
    at,
    session: 's1',
    target,
    direction: 'server',
    text: '220 \u001b[2J\rfake',
  })
  expect(line).toBe('07:00:00.123 s1 S: 220 \\x1b[2J\\x0dfake')
})
