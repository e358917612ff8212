import { expect, test } from 'vitest'
import { createClassicFormat } from '../../src/log/classic.ts'
import type { LogRecord, SubmissionEvent } from '../../src/log/events.ts'

const format = createClassicFormat({ user: 'root', pid: 4711 })
const line = (record: LogRecord) => format(record, 0).replace(/^\S+ root\[4711\]: /, '')

const submission: SubmissionEvent = {
  kind: 'submission',
  id: '4D1A',
  queueId: 'Q1',
  client: '192.0.2.9',
  user: 'alice',
  tls: 'TLSv1.3',
  reversePath: 'a@b.test',
  recipients: 2,
  size: 1234,
  reply: '250 2.0.0 Ok: queued as Q1',
  error: null,
}

test('a message that was handed in says by whom, how, and what it is called now', () => {
  expect(line(submission)).toBe(
    '4D1A accepted queue=Q1 from=<a@b.test> recipients=2 size=1234 client=192.0.2.9 tls=TLSv1.3 user="alice" reply="250 2.0.0 Ok: queued as Q1"\n',
  )
})

test('a message that was refused says why, also what the client was not told', () => {
  const refused = {
    ...submission,
    queueId: null,
    user: null,
    tls: null,
    reply: '451 4.3.0 later',
    error: 'EROFS "x"\n',
  }
  expect(line(refused)).toBe(
    '4D1A refused from=<a@b.test> recipients=2 size=1234 client=192.0.2.9 tls=none reply="451 4.3.0 later" error="EROFS \\"x\\"\\x0a"\n',
  )
})

test('a login says who and from where', () => {
  const login = {
    kind: 'login',
    id: '4D1A',
    client: '192.0.2.9',
    user: 'al"ice',
    isRight: false,
    error: 'wrong',
  } as const
  expect(line(login)).toBe('4D1A login failed client=192.0.2.9 user="al\\"ice" error="wrong"\n')
  expect(line({ ...login, isRight: true, error: null })).toBe(
    '4D1A logged in client=192.0.2.9 user="al\\"ice"\n',
  )
})
