import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import { mailCommand, rcptCommand } from '../../src/smtp/command.ts'
import { LocalProtocolError } from '../../src/smtp/errors.ts'

const bob = parseAddress('bob@example.test')

test.each([
  [{ ret: 'FULL', envid: 'QQ314159' }, ' RET=FULL ENVID=QQ314159'],
  [{ ret: 'HDRS' }, ' RET=HDRS'],
  [{ envid: 'a b+c' }, ' ENVID=a+20b+2Bc'],
  [{}, ''],
] as const)('MAIL with %o says%s (RFC 3461 §4.3, §4.4)', (dsn, parameters) => {
  expect(mailCommand(bob, { size: 9, dsn })).toBe(`MAIL FROM:<bob@example.test> SIZE=9${parameters}\r\n`)
})

test.each([
  [{ notify: ['NEVER'] }, ' NOTIFY=NEVER'],
  [
    { notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;Bob+x@B.test' },
    ' NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob+2Bx@B.test',
  ],
  [{ orcpt: 'utf-8;日@b.test' }, ' ORCPT=utf-8;\\x{65E5}@b.test'],
  [{}, ''],
] as const)('RCPT with %o says%s (RFC 3461 §4.1, §4.2)', (dsn, parameters) => {
  expect(rcptCommand(bob, { dsn })).toBe(`RCPT TO:<bob@example.test>${parameters}\r\n`)
})

test('an original recipient of UTF-8 stands as it is where SMTPUTF8 was said (RFC 6533 §3)', () => {
  expect(rcptCommand(bob, { smtpUtf8: true, dsn: { orcpt: 'utf-8;日@b.test' } })).toBe(
    'RCPT TO:<bob@example.test> ORCPT=utf-8;日@b.test\r\n',
  )
})

test('an original recipient that its escapes make longer than 500 characters is left out (RFC 3461 §4.2)', () => {
  const orcpt = `utf-8;${'日'.repeat(100)}@b.test`
  expect(rcptCommand(bob, { dsn: { notify: ['DELAY'], orcpt } })).toBe(
    'RCPT TO:<bob@example.test> NOTIFY=DELAY\r\n',
  )
})

describe('no parameter leaves that could be read as two, or as a line', () => {
  test.each(['', 'a b;x', 'a\r\nb;x', 'a=b;x', 'ü;x'])('with the type of address in %j', (orcpt) => {
    expect(() => rcptCommand(bob, { dsn: { orcpt } })).toThrow(LocalProtocolError)
  })

  test('with an empty NOTIFY or ENVID', () => {
    expect(() => rcptCommand(bob, { dsn: { notify: [] } })).toThrow(LocalProtocolError)
    expect(() => mailCommand(bob, { dsn: { envid: '' } })).toThrow(LocalProtocolError)
  })

  test('whatever the values are', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(text, text, fc.boolean(), (envid, address, smtpUtf8) => {
        const mail = mailCommand(bob, { dsn: { envid } })
        const rcpts = ['rfc822', 'utf-8'].map((type) => {
          try {
            return rcptCommand(bob, { smtpUtf8, dsn: { orcpt: `${type};${address}` } })
          } catch (error) {
            if (error instanceof LocalProtocolError) return ' ORCPT=refused\r\n'
            throw error
          }
        })
        expect(mail).toMatch(/^MAIL FROM:<bob@example\.test> ENVID=[!-<>-~]+\r\n$/)
        for (const rcpt of rcpts) expect(rcpt).toMatch(/ ORCPT=[^\0- =\x7f]+\r\n$/)
      }),
      { numRuns: 200 },
    )
  })
})
