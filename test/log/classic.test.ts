import { expect, test } from 'vitest'
import { createClassicFormat } from '../../src/log/classic.ts'
import type { LogRecord } from '../../src/log/events.ts'
import { target, tls, verdict } from './sample-events.ts'

const format = createClassicFormat({ user: 'root', pid: 4711 })
const line = (record: LogRecord) => format(record, Date.UTC(2026, 10, 21, 7, 0, 0, 123))
const head = '2026-11-21T07:00:00.123Z root[4711]: 4D1A '

test('a dialled address is the line the PHP class wrote, with an unambiguous time', () => {
  expect(line({ kind: 'trying', id: '4D1A', target })).toBe(`${head}trying mx1.example.test [192.0.2.7]:25\n`)
})

test('a verdict says recipient, outcome, exchanger, TLS, stage, status, delay and reply', () => {
  expect(line(verdict)).toBe(
    `${head}to=<bob@example.test> field=to outcome=delivered exchanger=mx1.example.test[192.0.2.7]:25 tls=TLSv1.3 verified=yes stage=end-of-data status=2.0.0 delay=0.31 reply="250 2.0.0 Ok: queued as 4D1"\n`,
  )
})

test('an uncertain verdict in clear says so', () => {
  const event = {
    ...verdict,
    outcome: 'deferred',
    uncertain: true,
    tls: null,
    status: '4.4.2',
    reply: 'connection lost',
  } as const
  expect(line(event)).toBe(
    `${head}to=<bob@example.test> field=to outcome=deferred uncertain=yes exchanger=mx1.example.test[192.0.2.7]:25 tls=none verified=no stage=end-of-data status=4.4.2 delay=0.31 reply="connection lost"\n`,
  )
})

test('a recipient for whom nobody was dialled has no exchanger', () => {
  const event = {
    ...verdict,
    outcome: 'failed',
    target: null,
    tls: null,
    stage: 'route',
    status: '5.1.2',
    delayMs: 4,
    reply: 'no such domain',
  } as const
  expect(line(event)).toBe(
    `${head}to=<bob@example.test> field=to outcome=failed exchanger=none tls=none verified=no stage=route status=5.1.2 delay=0.00 reply="no such domain"\n`,
  )
})

const settled = {
  kind: 'settled',
  id: '4D1A',
  to: 'bob@example.test',
  outcome: 'failed',
  state: 'gone',
  uncertain: false,
  attempts: 2,
  dueAt: null,
  reports: 0,
  status: '4.2.0',
} as const

test.each<[string, LogRecord, string]>([
  [
    'lookup',
    {
      kind: 'lookup',
      id: '4D1A',
      domain: 'example.test',
      exchangers: ['mx1.example.test', 'mx2.example.test'],
      error: null,
      durationMs: 12,
    },
    'lookup domain=example.test exchangers=mx1.example.test,mx2.example.test delay=0.01',
  ],
  [
    'failed lookup',
    {
      kind: 'lookup',
      id: '4D1A',
      domain: 'example.test',
      exchangers: [],
      error: 'SERVFAIL',
      durationMs: 5000,
    },
    'lookup domain=example.test exchangers=none error="SERVFAIL" delay=5.00',
  ],
  [
    'connection',
    { kind: 'connection', id: '4D1A', target, error: null, durationMs: 20 },
    'connected exchanger=mx1.example.test[192.0.2.7]:25 delay=0.02',
  ],
  [
    'refused connection',
    { kind: 'connection', id: '4D1A', target, error: '554 go "away"', durationMs: 20 },
    'not connected exchanger=mx1.example.test[192.0.2.7]:25 error="554 go \\"away\\"" delay=0.02',
  ],
  [
    'handshake',
    {
      kind: 'tls',
      id: '4D1A',
      target,
      tls: { ...tls, verified: false, reason: 'self-signed certificate' },
      resumed: true,
      error: null,
    },
    'handshake exchanger=mx1.example.test[192.0.2.7]:25 tls=TLSv1.3 verified=no cipher=TLS_AES_256_GCM_SHA384 resumed=yes reason="self-signed certificate"',
  ],
  [
    'broken handshake',
    { kind: 'tls', id: '4D1A', target, tls: null, resumed: false, error: 'wrong version number' },
    'handshake exchanger=mx1.example.test[192.0.2.7]:25 tls=none verified=no resumed=no error="wrong version number"',
  ],
  [
    'session end',
    { kind: 'session-end', id: '4D1A', target, transactions: 7, durationMs: 1500, reason: 'quit' },
    'session ended exchanger=mx1.example.test[192.0.2.7]:25 transactions=7 duration=1.50 reason="quit"',
  ],
  [
    'an entry that will be tried again',
    { ...settled, outcome: 'deferred', state: 'ready', uncertain: true, dueAt: '2026-11-21T07:05:00.000Z' },
    'settled to=<bob@example.test> outcome=deferred state=ready uncertain=yes attempts=2 due=2026-11-21T07:05:00.000Z reports=0 status=4.2.0',
  ],
  [
    'an entry that was given up',
    { ...settled, reports: 1, status: '5.1.1' },
    'settled to=<bob@example.test> outcome=failed state=gone attempts=2 reports=1 status=5.1.1',
  ],
  [
    'a message that cannot be signed',
    {
      kind: 'unsigned',
      id: '4D1A',
      messageId: '<1"2@sender.test>',
      domain: 'sender.test',
      reason: 'several-from',
    },
    'unsigned message-id="<1\\"2@sender.test>" domain=sender.test reason=several-from',
  ],
  [
    'a message that names no domain to sign for',
    { kind: 'unsigned', id: '4D1A', messageId: '', domain: '', reason: 'unreadable-from' },
    'unsigned message-id="" domain=- reason=unreadable-from',
  ],
  [
    'trouble',
    { kind: 'trouble', id: '4D1A', error: 'There is no room\nin /queue' },
    'trouble error="There is no room\\x0ain /queue"',
  ],
  [
    'the daemon',
    { kind: 'service', id: '4D1A', act: 'started', queue: '/var/spool/m x', submission: ['127.0.0.1:2525'] },
    'daemon started queue="/var/spool/m x" submission=127.0.0.1:2525',
  ],
  [
    'the daemon, listening nowhere',
    { kind: 'service', id: '4D1A', act: 'stopped', queue: 'queue', submission: [] },
    'daemon stopped queue="queue" submission=none',
  ],
])('a line for: %s', (_title, record, text) => {
  expect(line(record)).toBe(`${head}${text}\n`)
})

test('an event of no transaction, and lost lines, stand under the id -', () => {
  expect(
    line({ kind: 'session-end', id: '', target, transactions: 0, durationMs: 0, reason: 'quit' }),
  ).toContain(']: - session ended ')
  expect(line({ kind: 'lost', lines: 12, error: 'ENOSPC' })).toContain(']: - log lost=12 error="ENOSPC"\n')
})

test("a peer's text can neither begin a line nor leave its field", () => {
  const forged = line({
    ...verdict,
    reply: '250 ok"\r\n2026-11-21T07:00:00.123Z root[1]: X to=<a@b.test> outcome=failed reply="\x1b[2J',
  })
  expect(forged.indexOf('\n')).toBe(forged.length - 1)
  expect(forged).toContain('reply="250 ok\\"\\x0d\\x0a2026')
  expect(line({ ...verdict, target: { ...target, exchanger: 'mx outcome=failed' } })).toContain(
    'exchanger=mx\\x20outcome=failed[',
  )
  expect(line({ ...verdict, to: '"> outcome=failed x=<"@b.test' })).toContain(
    'to=<"\\x3e outcome=failed x=\\x3c"@b.test>',
  )
})

test('an IPv6 target keeps its brackets', () => {
  expect(line({ ...verdict, target: { ...target, ip: '2001:db8::7' } })).toContain(
    'exchanger=mx1.example.test[2001:db8::7]:25 ',
  )
})

test('the format names the user and the process that write', () => {
  expect(createClassicFormat()(verdict, 0)).toMatch(
    new RegExp(`^1970-01-01T00:00:00\\.000Z [^ ]+\\[${process.pid}\\]: 4D1A to=`),
  )
})
