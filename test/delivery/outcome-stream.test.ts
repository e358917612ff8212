import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/delivery/outcome.ts'
import { OutcomeStream, OutcomesOnDemand } from '../../src/delivery/outcome-stream.ts'
import { collect, recipient } from './fixtures.ts'

const outcome = (address: string): Outcome => ({
  kind: 'delivered',
  recipient: recipient(address),
  attempts: [],
  durationMs: 1,
  reply: { code: 250, status: null, lines: [] },
})
const [a, b, c] = [outcome('a@a.test'), outcome('b@a.test'), outcome('c@a.test')] as const
const done = { done: true, value: undefined }
const never = (): never => {
  throw new Error('nobody left')
}

test('outcomes come in the order in which they became known, then the iteration ends', async () => {
  const stream = new OutcomeStream(3, new AbortController().signal, never)
  const collected = collect(stream)
  stream.push(b)
  stream.push(a)
  await Promise.resolve()
  stream.push(c)
  expect(await collected).toEqual([b, a, c])
  expect(await stream.next()).toEqual(done)
})

test('what became known before anybody asked is kept', async () => {
  const stream = new OutcomeStream(2, new AbortController().signal, never)
  stream.push(a)
  stream.push(b)
  expect(await collect(stream)).toEqual([a, b])
})

test('an outcome is handed over while others are still owed', async () => {
  const stream = new OutcomeStream(2, new AbortController().signal, never)
  const first = stream.next()
  stream.push(a)
  expect(await first).toEqual({ done: false, value: a })
})

test('no recipients: it has ended and is settled from the start', async () => {
  const stream = new OutcomeStream(0, new AbortController().signal, never)
  await stream.settled
  expect(await collect(stream)).toEqual([])
})

test('it is settled with the last outcome, read or not', async () => {
  const stream = new OutcomeStream(2, new AbortController().signal, never)
  let isSettled = false
  void stream.settled.then(() => {
    isSettled = true
  })
  stream.push(a)
  await Promise.resolve()
  expect(isSettled).toBe(false)
  stream.push(b)
  await stream.settled
  expect(isSettled).toBe(true)
})

test('after an abort every outcome is given first, then the reason is thrown', async () => {
  const abort = new AbortController()
  const stream = new OutcomeStream(2, abort.signal, never)
  stream.push(a)
  abort.abort(new Error('enough'))
  stream.push(b)
  const seen: Outcome[] = []
  const run = async () => {
    for await (const one of stream) seen.push(one)
  }
  await expect(run()).rejects.toThrow('enough')
  expect(seen).toEqual([a, b])
})

test('an abort that comes after the last outcome stops nothing, so nothing is thrown', async () => {
  const abort = new AbortController()
  const stream = new OutcomeStream(1, abort.signal, never)
  stream.push(a)
  abort.abort(new Error('too late'))
  expect(await collect(stream)).toEqual([a])
})

test('leaving before the end is told to the delivery; leaving after it is not', async () => {
  let left = 0
  const early = new OutcomeStream(2, new AbortController().signal, () => left++)
  early.push(a)
  for await (const _ of early) break
  expect(left).toBe(1)

  const late = new OutcomeStream(1, new AbortController().signal, () => left++)
  late.push(a)
  for await (const _ of late) break
  expect(left).toBe(1)
})

test('leaving a block that holds it by `await using` is leaving the iteration', async () => {
  let left = 0
  {
    await using stream = new OutcomeStream(1, new AbortController().signal, () => left++)
    expect(left).toBe(0)
    void stream
  }
  expect(left).toBe(1)
})

test('two that ask at once both get an outcome, in the order in which they asked; a third one learns of the end', async () => {
  const stream = new OutcomeStream(2, new AbortController().signal, never)
  const asked = Promise.all([stream.next(), stream.next(), stream.next()])
  stream.push(a)
  stream.push(b)
  expect(await asked).toEqual([{ done: false, value: a }, { done: false, value: b }, done])
})

describe('on demand', () => {
  const streamOf = (...outcomes: readonly Outcome[]): OutcomeStream => {
    const stream = new OutcomeStream(outcomes.length, new AbortController().signal, () => {})
    for (const outcome of outcomes) stream.push(outcome)
    return stream
  }

  test('nothing starts before the first outcome is asked for, and then only once', async () => {
    let starts = 0
    const outcomes = new OutcomesOnDemand(async () => {
      starts++
      return streamOf(a, b)
    })
    await Promise.resolve()
    expect(starts).toBe(0)
    expect(await Promise.all([outcomes.next(), outcomes.next()])).toEqual([
      { done: false, value: a },
      { done: false, value: b },
    ])
    expect(await outcomes.next()).toEqual(done)
    expect(starts).toBe(1)
  })

  test('who leaves before the start does not start it', async () => {
    const outcomes = new OutcomesOnDemand(() => Promise.reject(new Error('started')))
    expect(await outcomes.return()).toEqual(done)
    expect(await outcomes.next()).toEqual(done)
  })

  test('who leaves after it leaves the delivery', async () => {
    let left = 0
    const stream = new OutcomeStream(2, new AbortController().signal, () => left++)
    stream.push(a)
    const outcomes = new OutcomesOnDemand(async () => stream)
    for await (const _ of outcomes) break
    expect(left).toBe(1)
  })

  test('a start that fails rejects what was asked', async () => {
    const outcomes = new OutcomesOnDemand(() => Promise.reject(new Error('closed')))
    await expect(collect(outcomes)).rejects.toThrow('closed')
  })
})
