import { describe, expect, test } from 'vitest'
import {
  DsnParameterError,
  formatEnvid,
  formatOrcpt,
  parseEnvid,
  parseNotify,
  parseOrcpt,
  parseRet,
} from '../../src/mail/dsn-parameters.ts'

describe('NOTIFY (RFC 3461 §4.1)', () => {
  test.each([
    ['NEVER', ['NEVER']],
    ['success', ['SUCCESS']],
    ['Failure,DELAY', ['FAILURE', 'DELAY']],
    ['SUCCESS,FAILURE,DELAY', ['SUCCESS', 'FAILURE', 'DELAY']],
    ['DELAY,DELAY', ['DELAY']],
  ])('%s', (value, conditions) => {
    expect(parseNotify(value)).toEqual(conditions)
  })

  test.each(['', 'NEVER,SUCCESS', 'ALWAYS', 'SUCCESS,', 'SUCCESS, DELAY', 'NEVER,NEVER'])(
    '%j is refused',
    (value) => {
      expect(() => parseNotify(value)).toThrow(DsnParameterError)
    },
  )
})

describe('RET (RFC 3461 §4.3)', () => {
  test('is FULL or HDRS in any case', () => {
    expect([parseRet('full'), parseRet('Hdrs')]).toEqual(['FULL', 'HDRS'])
  })

  test('is nothing else', () => {
    expect(() => parseRet('ALL')).toThrow('Expected RET to be FULL or HDRS, got `ALL`')
  })
})

describe('ENVID (RFC 3461 §4.4)', () => {
  test.each([
    ['QQ314159', 'QQ314159'],
    ['a+20b+2Bc+3D', 'a b+c='],
  ])('%s stands for its decoded text and is written so again', (value, envid) => {
    expect(parseEnvid(value)).toBe(envid)
    expect(formatEnvid(envid)).toBe(value)
  })

  test.each(['', 'a b', 'a=b', 'a+0D+0AX', 'a+00', 'a+FF', 'x'.repeat(101)])('%j is refused', (value) => {
    expect(() => parseEnvid(value)).toThrow(DsnParameterError)
  })

  test('of 100 characters is taken', () => {
    expect(parseEnvid('x'.repeat(100))).toHaveLength(100)
  })
})

describe('ORCPT (RFC 3461 §4.2)', () => {
  test.each([
    ['rfc822;Bob+2Btag@Example.test', 'rfc822;Bob+tag@Example.test'],
    ['RFC822;bob@example.test', 'RFC822;bob@example.test'],
    ['x400;/c+3Dus', 'x400;/c=us'],
    ['rfc822;"a;+20b"@example.test', 'rfc822;"a; b"@example.test'],
    ['utf-8;\\x{65E5}\\x{5C}@example.test', 'utf-8;日\\@example.test'],
    ['utf-8;a\\x{2B}b@example.test', 'utf-8;a+b@example.test'],
  ])('%s stands for its decoded address and is written so again (RFC 3461 §5.2.1)', (value, orcpt) => {
    expect(parseOrcpt(value)).toBe(orcpt)
    expect(formatOrcpt(orcpt, { smtpUtf8: false })).toBe(value)
  })

  test.each([
    '',
    'rfc822;',
    'bob@example.test',
    'rfc822;bob@example.test\r\nDATA',
    'rfc822;a+0D+0ADATA',
    'rfc822;ü@example.test',
    'rf c;bob@example.test',
    'utf-8;\\x{D800}@example.test',
    'utf-8;\\x{0A}@example.test',
    'utf-8;\\x{110000}@example.test',
    'utf-8;日@example.test',
    `rfc822;${'x'.repeat(494)}`,
  ])('%j is refused', (orcpt) => {
    expect(() => parseOrcpt(orcpt)).toThrow(DsnParameterError)
  })

  test('of the type utf-8 may hold UTF-8 where SMTPUTF8 was said (RFC 6533 §3)', () => {
    expect(parseOrcpt('utf-8;日@example.test', { smtpUtf8: true })).toBe('utf-8;日@example.test')
    expect(() => parseOrcpt('rfc822;日@example.test', { smtpUtf8: true })).toThrow(DsnParameterError)
    expect(formatOrcpt('utf-8;日+@example.test', { smtpUtf8: true })).toBe('utf-8;日\\x{2B}@example.test')
  })
})
