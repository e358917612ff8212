import { describe, expect, test } from 'vitest'
import { SessionOpenError } from '../../src/client/session-open-error.ts'
import type { TransactionEnd, TransactionStage } from '../../src/client/transaction.ts'
import {
  causeOfDialling,
  causeOfOpening,
  classifyDefect,
  classifyExhausted,
  classifyRoute,
  classifyTransaction,
  type Verdict,
} from '../../src/delivery/classify.ts'
import type { Cause } from '../../src/delivery/outcome.ts'
import { RouteError } from '../../src/route/route.ts'
import type { EnhancedStatus } from '../../src/smtp/enhanced-status.ts'
import {
  ConnectError,
  ConnectionLostError,
  LocalProtocolError,
  RemoteProtocolError,
  TimeoutError,
  TlsError,
} from '../../src/smtp/errors.ts'
import type { Reply } from '../../src/smtp/reply.ts'

const reply = (code: number, status: EnhancedStatus | null = null): Reply => ({
  code,
  status,
  lines: ['words'],
})

const end = (stage: TransactionStage, rest: Partial<TransactionEnd>): TransactionEnd => ({
  stage,
  reply: null,
  error: null,
  isContentSent: false,
  repliesSeen: 0,
  isChunkingRefused: false,
  refusals: null,
  ...rest,
})

const stages = ['mail', 'rcpt', 'data', 'end-of-data'] as const
const beforeTheEnd = ['mail', 'rcpt', 'data'] as const
const fresh = { isReused: false }
const reused = { isReused: true }
const sessions = [fresh, reused] as const

describe('a reply', () => {
  describe.each(sessions)('in a session with %o', (session) => {
    test.each([250, 251, 252, 200, 299])('%i to the content is delivery (RFC 5321 §4.2.5)', (code) => {
      const accepted = reply(code)
      expect(
        classifyTransaction(end('end-of-data', { reply: accepted, isContentSent: true }), session),
      ).toEqual({
        kind: 'delivered',
        reply: accepted,
      } satisfies Verdict)
    })

    test.each(
      stages.flatMap((stage) => [400, 450, 451, 452, 455, 499].map((code) => [code, stage] as const)),
    )('%i at %s is never final: the next target is asked', (code, stage) => {
      const refusal = reply(code, '4.2.1')
      expect(classifyTransaction(end(stage, { reply: refusal }), session)).toEqual({
        kind: 'next-target',
        cause: { stage, status: '4.2.1', reply: refusal },
      } satisfies Verdict)
    })

    test.each(
      stages.flatMap((stage) => [500, 550, 552, 553, 554, 599].map((code) => [code, stage] as const)),
    )('%i at %s is final (RFC 5321 §4.2.1)', (code, stage) => {
      const refusal = reply(code, '5.1.1')
      expect(classifyTransaction(end(stage, { reply: refusal }), session)).toEqual({
        kind: 'failed',
        cause: { stage, status: '5.1.1', reply: refusal },
      } satisfies Verdict)
    })

    test.each([
      [450, '4.0.0'],
      [550, '5.0.0'],
    ] as const)('%i without a status of its own tells %s (RFC 3463 §3.1)', (code, status) => {
      const verdict = classifyTransaction(end('rcpt', { reply: reply(code) }), session)
      expect(verdict).toMatchObject({ cause: { status } })
    })

    test.each([500, 501, 502, 503, 504])('%i to BDAT costs nothing but a new session with DATA', (code) => {
      const refusal = reply(code, '5.5.1')
      expect(
        classifyTransaction(end('end-of-data', { reply: refusal, isChunkingRefused: true }), session),
      ).toEqual({
        kind: 'again',
        cause: { stage: 'end-of-data', status: '5.5.1', reply: refusal },
        isChunkingBroken: true,
      } satisfies Verdict)
    })
  })

  describe.each(beforeTheEnd)('at %s', (stage) => {
    test.each([421, 503])(
      '%i ends a session in reuse and says nothing of the recipient (RFC 5321 §3.8)',
      (code) => {
        const goodbye = reply(code)
        const status = code === 421 ? '4.0.0' : '5.0.0'
        expect(classifyTransaction(end(stage, { reply: goodbye, repliesSeen: 2 }), reused)).toEqual({
          kind: 'again',
          cause: { stage, status, reply: goodbye },
          isChunkingBroken: false,
        } satisfies Verdict)
      },
    )

    test('421 in the first transaction of a session leads to the next target', () => {
      const goodbye = reply(421, '4.3.2')
      expect(classifyTransaction(end(stage, { reply: goodbye }), fresh)).toEqual({
        kind: 'next-target',
        cause: { stage, status: '4.3.2', reply: goodbye },
      } satisfies Verdict)
    })

    test('530 in clear from a host that offers STARTTLS is no verdict on the recipient (RFC 3207 §4)', () => {
      const refusal = reply(530, '5.7.0')
      const spurned = { isReused: false, isTlsSpurned: true }
      expect(classifyTransaction(end(stage, { reply: refusal }), spurned)).toEqual({
        kind: 'next-target',
        cause: { stage: stage === 'mail' ? 'starttls' : stage, status: '5.7.0', reply: refusal },
      } satisfies Verdict)
      expect(classifyTransaction(end(stage, { reply: refusal }), fresh)).toMatchObject({ kind: 'failed' })
    })

    test.each([530, 534, 535, 538])('%i of a relay is about the login (RFC 4954 §6)', (code) => {
      const refusal = reply(code)
      expect(classifyTransaction(end(stage, { reply: refusal }), { isReused: false, isRelay: true })).toEqual(
        {
          kind: 'next-target',
          cause: { stage: stage === 'mail' ? 'auth' : stage, status: '5.0.0', reply: refusal },
        } satisfies Verdict,
      )
    })

    test('503 in the first transaction of a session is final', () => {
      expect(classifyTransaction(end(stage, { reply: reply(503) }), fresh)).toMatchObject({ kind: 'failed' })
    })

    test('a yes is no delivery: that only the end of the data can be (RFC 5321 §4.2.5)', () => {
      for (const code of [250, 251, 354]) {
        const verdict = classifyTransaction(end(stage, { reply: reply(code) }), fresh)
        expect(verdict).toMatchObject({ kind: 'next-target', cause: { stage, status: '4.5.0' } })
      }
    })
  })

  test.each(sessions)('421 after the final dot is a refusal of the message, with %o', (session) => {
    const goodbye = reply(421, '4.3.2')
    expect(classifyTransaction(end('end-of-data', { reply: goodbye, isContentSent: true }), session)).toEqual(
      {
        kind: 'next-target',
        cause: { stage: 'end-of-data', status: '4.3.2', reply: goodbye },
      } satisfies Verdict,
    )
  })

  test('503 after the final dot is final, in a session in reuse too', () => {
    const verdict = classifyTransaction(
      end('end-of-data', { reply: reply(503), isContentSent: true }),
      reused,
    )
    expect(verdict).toMatchObject({ kind: 'failed' })
  })

  test('354 after the final dot says neither yes nor no: the message may have arrived', () => {
    const verdict = classifyTransaction(end('end-of-data', { reply: reply(354), isContentSent: true }), fresh)
    expect(verdict).toMatchObject({
      kind: 'deferred',
      uncertain: true,
      cause: { stage: 'end-of-data', status: '4.5.0' },
    })
  })
})

const peerErrors = [
  ['lost', new ConnectionLostError('the peer closed the connection'), '4.4.2'],
  ['too slow', new TimeoutError('the reply to MAIL', 1000), '4.4.2'],
  ['nonsense', new RemoteProtocolError('expected a reply line'), '4.5.0'],
] as const

describe('no reply, the connection', () => {
  describe.each(sessions)('in a session with %o', (session) => {
    test.each(
      peerErrors.flatMap(([what, error, status]) =>
        stages.map((stage) => [what, stage, error, status] as const),
      ),
    )('%s at %s, content not out: the next target', (_what, stage, error, status) => {
      expect(classifyTransaction(end(stage, { error, repliesSeen: 1 }), session)).toEqual({
        kind: 'next-target',
        cause: { stage, status, error },
      } satisfies Verdict)
    })

    test.each(
      peerErrors.flatMap(([what, error, status]) =>
        stages.map((stage) => [what, stage, error, status] as const),
      ),
    )('%s at %s, content out: uncertain, offered to nobody else', (_what, stage, error, status) => {
      expect(
        classifyTransaction(end(stage, { error, isContentSent: true, repliesSeen: 0 }), session),
      ).toEqual({
        kind: 'deferred',
        cause: { stage: 'end-of-data', status, error },
        uncertain: true,
      } satisfies Verdict)
    })

    test.each(stages)(
      'at %s: a command that we must not send is our defect and no way to deliver',
      (stage) => {
        const error = new LocalProtocolError('expected an ASCII command')
        expect(classifyTransaction(end(stage, { error }), session)).toEqual({
          kind: 'failed',
          cause: { stage: 'policy', status: '5.5.0', error },
        } satisfies Verdict)
      },
    )

    test.each(stages)('at %s: a message that can no longer be read is offered to nobody else', (stage) => {
      const error = new Error('EIO: i/o error, read')
      expect(classifyTransaction(end(stage, { error }), session)).toEqual({
        kind: 'deferred',
        cause: { stage, status: '4.3.0', error },
        uncertain: false,
      } satisfies Verdict)
    })

    test('ended without a reply and without an error counts as lost', () => {
      expect(classifyTransaction(end('mail', { repliesSeen: 1 }), session)).toMatchObject({
        kind: 'next-target',
        cause: { stage: 'mail', status: '4.4.2', error: expect.any(ConnectionLostError) },
      })
    })
  })

  test.each(stages)(
    'lost at %s before the peer said a word, in a session in reuse: nobody is to blame',
    (stage) => {
      const error = new ConnectionLostError('the peer closed the connection')
      expect(classifyTransaction(end(stage, { error }), reused)).toEqual({
        kind: 'again',
        cause: { stage, status: '4.4.2', error },
        isChunkingBroken: false,
      } satisfies Verdict)
    },
  )

  test.each([
    ['lost', 'in its first transaction', peerErrors[0][1], fresh],
    ['too slow', 'in reuse', peerErrors[1][1], reused],
    ['nonsense', 'in reuse', peerErrors[2][1], reused],
  ] as const)('%s before the first word %s leads to the next target', (_what, _when, error, session) => {
    expect(classifyTransaction(end('mail', { error }), session)).toMatchObject({ kind: 'next-target' })
  })
})

describe('before a transaction', () => {
  test.each(['greeting', 'ehlo'] as const)('a refusal at %s is told with the words of the peer', (stage) => {
    const refusal = reply(554, '5.7.1')
    expect(causeOfOpening(new SessionOpenError(stage, { reply: refusal }))).toEqual({
      stage,
      status: '5.7.1',
      reply: refusal,
    } satisfies Cause)
  })

  test.each([
    [454, '4.7.0', '4.7.4'],
    [502, '5.5.1', '4.7.4'],
    [502, null, '4.7.4'],
    [421, '4.3.2', '4.3.2'],
  ] as const)('STARTTLS refused with %i %s where TLS is required is %s', (code, theirs, ours) => {
    const refusal = reply(code, theirs)
    expect(causeOfOpening(new SessionOpenError('starttls', { reply: refusal }))).toEqual({
      stage: 'starttls',
      status: ours,
      reply: refusal,
    } satisfies Cause)
  })

  test.each([
    ['greeting', new TimeoutError('greeting', 1000), '4.4.2'],
    ['greeting', new ConnectionLostError('gone'), '4.4.2'],
    ['ehlo', new RemoteProtocolError('nonsense'), '4.5.0'],
    ['starttls', new TlsError('unavailable', 'not offered'), '4.7.4'],
    ['starttls', new TlsError('handshake', 'broken'), '4.7.4'],
    ['starttls', new TlsError('certificate', 'self-signed'), '4.7.5'],
    ['ehlo', new LocalProtocolError('a host name with a blank'), '5.5.0'],
    ['greeting', new Error('some defect'), '4.3.0'],
  ] as const)('at %s, %s is %s', (stage, cause, status) => {
    expect(causeOfOpening(new SessionOpenError(stage, { cause }))).toEqual({ stage, status, error: cause })
  })

  test('no connection is 4.4.1', () => {
    const error = new ConnectError('connection refused')
    expect(causeOfDialling(error)).toEqual({ stage: 'connect', status: '4.4.1', error } satisfies Cause)
  })

  test.each([
    ['no-domain', '5.1.2'],
    ['null-mx', '5.1.10'],
    ['dns', '4.4.3'],
    ['loop', '5.4.6'],
    ['no-address', '4.4.4'],
    ['forbidden', '4.4.4'],
  ] as const)('a route that ends with %s is %s', (kind, status) => {
    const error = new RouteError(kind, 'words')
    expect(classifyRoute(error)).toEqual({ stage: 'route', status, error } satisfies Cause)
  })

  test('a defect while routing or serving is temporary: no address is blamed for it', () => {
    const error = new TypeError('undefined is not a function')
    expect(classifyRoute(error)).toEqual({ stage: 'route', status: '4.3.0', error } satisfies Cause)
    expect(classifyDefect(error)).toEqual({ stage: 'policy', status: '4.3.0', error } satisfies Cause)
  })
})

describe('when no target is left', () => {
  const refused: Cause = { stage: 'connect', status: '4.4.1', error: new ConnectError('refused') }
  const greeted554: Cause = { stage: 'greeting', status: '5.7.1', reply: reply(554, '5.7.1') }
  const greylisted: Cause = { stage: 'rcpt', status: '4.2.0', reply: reply(450, '4.2.0') }
  const tooLarge: Cause = { stage: 'policy', status: '5.3.4', error: new Error('too large') }
  const loop: Cause = { stage: 'route', status: '5.4.6', error: new RouteError('loop', 'us') }
  const noAddress: Cause = { stage: 'route', status: '4.4.4', error: new RouteError('no-address', 'none') }

  test.each([
    ['a host that did not answer', [refused], 'deferred', refused],
    ['a 5xx that came before a transaction: it is never final', [greeted554], 'deferred', greeted554],
    ['the cause that got furthest', [greylisted, refused], 'deferred', greylisted],
    [
      'the later of two that got equally far',
      [refused, { ...refused, status: '4.4.2' }],
      'deferred',
      { ...refused, status: '4.4.2' },
    ],
    ['a message that no exchanger can take', [tooLarge], 'failed', tooLarge],
    ['a message that one cannot take while another did not answer', [tooLarge, refused], 'deferred', refused],
    [
      'a message that one cannot take while another refused us',
      [greeted554, tooLarge],
      'deferred',
      greeted554,
    ],
    ['a loop', [loop], 'failed', loop],
    ['a loop beside an exchanger without address', [noAddress, loop], 'deferred', noAddress],
    ['a loop beside a message too large', [loop, tooLarge], 'failed', tooLarge],
  ] as const)('told is %s', (_what, causes, kind, cause) => {
    expect(classifyExhausted(causes)).toEqual({ kind, cause })
  })

  test('and none was there at all, it is deferred', () => {
    expect(classifyExhausted([])).toEqual({
      kind: 'deferred',
      cause: { stage: 'connect', status: '4.4.1', error: expect.any(ConnectError) },
    })
  })
})
