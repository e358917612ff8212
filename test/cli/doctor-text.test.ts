import { describe, expect, test } from 'vitest'
import { resultLines, summaryLine } from '../../src/cli/doctor/text.ts'
import { plain } from '../../src/cli/terminal.ts'
import { makeReport } from '../../src/doctor/report.ts'
import { type CheckResult, publish } from '../../src/doctor/result.ts'

const result: CheckResult = {
  check: 'spf',
  title: 'SPF',
  subject: null,
  status: 'problem',
  code: 'spf-missing',
  summary: 'There is none.',
  evidence: [{ kind: 'dns', asked: 'TXT example.org', answers: ['"a"', '"b"'], failure: null }],
  remedies: [publish('Publish it.', 'example.org. 3600 IN TXT "v=spf1 -all"')],
}

const show = (change: Partial<CheckResult> = {}, showsAll = false) =>
  resultLines({ ...result, ...change }, { paint: plain, showsAll })

describe('a result', () => {
  test('begins with its status, so that grep finds it; evidence and remedies stand below', () => {
    expect(show()).toEqual([
      'problem     SPF: There is none.',
      '            TXT example.org:',
      '              "a"',
      '              "b"',
      '            → Publish it.',
      '                example.org. 3600 IN TXT "v=spf1 -all"',
    ])
  })

  test('that is ok takes one line, unless all is to be seen', () => {
    expect(show({ status: 'ok' })).toEqual(['ok          SPF: There is none.'])
    expect(show({ status: 'ok' }, true)).toHaveLength(6)
  })

  test('of several subjects names its own', () => {
    const evidence = [{ kind: 'dns', asked: 'A a', answers: [], failure: 'NXDOMAIN' }] as const
    expect(show({ status: 'cannot-tell', subject: 'list.test', evidence, remedies: [] })).toEqual([
      'cannot-tell SPF list.test: There is none.',
      '            A a: NXDOMAIN',
    ])
  })

  test('never shows what a terminal would obey', () => {
    const evil = '\u001b]0;x\u0007\r\nproblem'
    const lines = show({
      subject: evil,
      summary: evil,
      evidence: [{ kind: 'connection', asked: evil, answers: [evil], failure: evil }],
      remedies: [publish(evil, `TXT "${evil}"`)],
    })
    expect(lines.join('')).not.toMatch(/[\u0000-\u001f]/)
    expect(lines.filter((line) => line.startsWith('problem'))).toHaveLength(1)
  })
})

test('the last line says who, the verdict, and how many of which', () => {
  const sender = {
    domain: 'example.org',
    hostname: null,
    sourceHostnames: new Map<string, string>(),
    hostnameComplaint: '',
    allowLocalAddresses: false,
  }
  const results = (['ok', 'ok', 'warning', 'cannot-tell'] as const).map((status) => ({ ...result, status }))
  const of = (found: readonly CheckResult[]) =>
    summaryLine(
      makeReport({ sender, addresses: [], results: found, records: [], startedAt: 0, durationMs: 1_234 }),
      plain,
    )
  expect(of(results)).toBe(
    'this host for example.org: fit to send, with doubts (2 ok, 1 warning, 0 problems, 1 cannot tell; 1.23 s)',
  )
  expect(of([result])).toMatch(/: not fit to send \(0 ok, 0 warnings, 1 problem, /)
  expect(of([])).toMatch(/: fit to send \(/)
})
