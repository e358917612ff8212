import { expect, test } from 'vitest'
import { parsePathCommand } from '../../src/submission/command-path.ts'
import { Refusal } from '../../src/submission/refusal.ts'
import { Transaction } from '../../src/submission/transaction.ts'

const limits = { hostname: 'mail.sender.test', maxRecipients: 3 }
const command = (line: string) => {
  const parsed = parsePathCommand(Buffer.from(line))
  if (parsed === null) throw new Error(`no command: ${line}`)
  return parsed
}
const begin = (mail = 'MAIL FROM:<alice@sender.test>') => new Transaction(command(mail), limits)
const refusalOf = (act: () => unknown): unknown => {
  try {
    return act()
  } catch (error) {
    return error instanceof Refusal ? `${error.responseCode} ${error.message}` : error
  }
}
const localParts = ({ envelope }: Transaction) => envelope.recipients.map(({ address }) => address.localPart)

test('mailboxes that differ in case are two (RFC 5321 §2.4)', () => {
  const transaction = begin()
  for (const name of ['Bob', 'bob', 'Bob'])
    transaction.addRecipient(command(`RCPT TO:<${name}@example.test>`))
  expect(localParts(transaction)).toEqual(['Bob', 'bob'])
})

test('one recipient too many is refused for now, those before stay (RFC 5321 §4.5.3.1.10)', () => {
  const transaction = begin()
  for (const name of ['a', 'b', 'c']) transaction.addRecipient(command(`RCPT TO:<${name}@example.test>`))
  expect(refusalOf(() => transaction.addRecipient(command('RCPT TO:<d@example.test>')))).toBe(
    '452 4.5.3 too many recipients, at most 3 in a transaction',
  )
  transaction.addRecipient(command('RCPT TO:<a@example.test>'))
  expect(localParts(transaction)).toEqual(['a', 'b', 'c'])
})

test('the null reverse-path is taken (RFC 5321 §4.5.5)', () => {
  expect(begin('MAIL FROM:<>').envelope.reversePath).toBeNull()
})

test('postmaster without a domain is ours (RFC 5321 §4.5.1)', () => {
  const transaction = begin()
  transaction.addRecipient(command('RCPT TO:<Postmaster>'))
  expect(transaction.envelope.recipients[0]?.address).toEqual({
    localPart: 'postmaster',
    domain: 'mail.sender.test',
  })
})

test('DSN parameters are kept, xtext decoded (RFC 3461 §4)', () => {
  const transaction = begin('MAIL FROM:<a@b.test> RET=hdrs ENVID=QQ+2B314159')
  transaction.addRecipient(command('RCPT TO:<c@d.test> NOTIFY=success,FAILURE ORCPT=rfc822;c+2Bx@d.test'))
  transaction.addRecipient(command('RCPT TO:<e@d.test>'))
  expect(transaction.envelope).toEqual({
    reversePath: { localPart: 'a', domain: 'b.test' },
    dsn: { ret: 'HDRS', envid: 'QQ+314159' },
    recipients: [
      {
        address: { localPart: 'c', domain: 'd.test' },
        field: 'to',
        dsn: { notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;c+x@d.test' },
      },
      { address: { localPart: 'e', domain: 'd.test' }, field: 'to' },
    ],
  })
})

test.each([
  ['MAIL FROM:<a@b.test> ENVID=a+0D+0A', /^501 5\.5\.4 Expected ENVID to be xtext/],
  ['MAIL FROM:<a@b.test> RET=ALL', /^501 5\.5\.4 Expected RET to be FULL or HDRS/],
  ['MAIL FROM:<a@b.test> MT-PRIORITY=3', /^555 5\.5\.4 unknown parameter MT-PRIORITY$/],
  ['MAIL FROM:<a b@c.test>', /^501 5\.1\.7 Malformed address/],
  ['MAIL FROM:<jörg@b.test>', /^553 5\.6\.7 /],
])('%s is refused', (line, reply) => {
  expect(refusalOf(() => begin(line))).toMatch(reply)
})

test.each([
  ['RCPT TO:<bob>', /^501 5\.1\.3 Malformed address `bob`/],
  ['RCPT TO:<jörg@b.test>', /^553 5\.6\.7 /],
  ['RCPT TO:<c@d.test> NOTIFY=NEVER,DELAY', /^501 5\.5\.4 Expected NOTIFY/],
  ['RCPT TO:<c@d.test> ORCPT=x', /^501 5\.5\.4 Expected ORCPT/],
  ['RCPT TO:<c@d.test> RRVS=2026', /^555 5\.5\.4 /],
])('%s is refused', (line, reply) => {
  expect(refusalOf(() => begin().addRecipient(command(line)))).toMatch(reply)
})

test('with SMTPUTF8 addresses need not be ASCII (RFC 6531 §3.3)', () => {
  const transaction = begin('MAIL FROM:<jörg@b.test> SMTPUTF8')
  transaction.addRecipient(command('RCPT TO:<用户@例子.广告>'))
  expect(transaction.isUtf8).toBe(true)
  expect(transaction.envelope.recipients[0]?.address).toEqual({
    localPart: '用户',
    domain: 'xn--fsqu00a.xn--4rr70v',
  })
})
