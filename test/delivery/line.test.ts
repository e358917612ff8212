import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ActiveSessions } from '../../src/delivery/active-sessions.ts'
import type { Delivery, Job } from '../../src/delivery/job.ts'
import { Line } from '../../src/delivery/line.ts'
import { OutcomeStream } from '../../src/delivery/outcome-stream.ts'
import { envelope, mailboxes, message, recipient } from './fixtures.ts'

const delivery = (id: string, ...recipients: readonly string[]): Delivery => ({
  id,
  message: message(),
  envelope: envelope(...recipients),
  signal: new AbortController().signal,
  outcomes: new OutcomeStream(recipients.length, new AbortController().signal, () => {}),
  startedAt: 0,
  activeSessions: new ActiveSessions(),
  preferredSource: null,
  beforeContent: null,
})

const name = (job: Job | null) => job && `${job.delivery.id} ${job.recipient.address.localPart}`

/** Everyone in the line. */
const drain = (line: Line): readonly (string | null)[] => {
  const names: (string | null)[] = []
  for (let job = line.next(); job !== null; job = line.next()) names.push(name(job))
  return names
}

test('first in, first out, over several deliveries', () => {
  const line = new Line()
  const [first, second] = [delivery('A', 'a@x.test', 'b@x.test'), delivery('B', 'c@x.test')]
  line.add(first, first.envelope.recipients)
  line.add(second, second.envelope.recipients)
  expect(line.length).toBe(3)
  expect(drain(line)).toEqual(['A a', 'A b', 'B c'])
  expect(line.length).toBe(0)
  expect(line.next()).toBe(null)
})

test('no recipients add nobody', () => {
  const line = new Line()
  line.add(delivery('A'), [])
  const late = delivery('B', 'b@x.test')
  line.add(late, late.envelope.recipients)
  expect(drain(line)).toEqual(['B b'])
})

test('who is put back is next, as if nothing had been tried', () => {
  const line = new Line()
  const one = delivery('A', 'a@x.test', 'b@x.test')
  line.add(one, one.envelope.recipients)
  const job = line.next() as Job
  job.refusals = 1
  job.repetitions = 2
  job.causes.push({ stage: 'connect', status: '4.4.1' })
  line.putBack(job)
  expect(line.length).toBe(2)
  const again = line.next()
  expect(name(again)).toBe('A a')
  expect(again).toMatchObject({ refusals: 0, repetitions: 0, causes: [], attempts: [], isConcluded: false })
  expect(drain(line)).toEqual(['A b'])
})

test('a delivery that is withdrawn takes along those put back and those not begun, and nobody else', () => {
  const line = new Line()
  const [first, second] = [delivery('A', 'a@x.test', 'b@x.test', 'c@x.test'), delivery('B', 'd@x.test')]
  line.add(first, first.envelope.recipients)
  line.add(second, second.envelope.recipients)
  const begun = line.next() as Job
  line.putBack(line.next() as Job)
  expect(name(begun)).toBe('A a')
  expect(line.withdraw(first).map(name)).toEqual(['A b', 'A c'])
  expect(line.length).toBe(1)
  expect(drain(line)).toEqual(['B d'])
  expect(line.withdraw(first)).toEqual([])
})

test('who waits for another turn is withdrawn with all that they have gone through', () => {
  const line = new Line()
  const given = delivery('A', 'a@x.test', 'b@x.test')
  line.add(given, given.envelope.recipients)
  const job = line.next() as Job
  line.requeue(job)
  expect(line.withdraw(given)[0]).toBe(job)
})

test('whatever is added, taken and put back: everyone comes out once, and the length is right', () => {
  const act = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), count: fc.nat(4) }),
    fc.record({ kind: fc.constant('take' as const), putBack: fc.boolean() }),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
      const line = new Line()
      const added: string[] = []
      const taken: (string | null)[] = []
      for (const [at, one] of acts.entries()) {
        if (one.kind === 'add') {
          const batch = delivery(`${at}`, ...mailboxes(one.count, 'x.test'))
          line.add(batch, batch.envelope.recipients)
          added.push(...mailboxes(one.count, 'x.test').map((box) => `${at} ${box.split('@')[0]}`))
          continue
        }
        const job = line.next()
        if (job !== null && one.putBack) line.putBack(job)
        else if (job !== null) taken.push(name(job))
      }
      expect(line.length).toBe(added.length - taken.length)
      expect([...taken, ...drain(line)].toSorted()).toEqual(added.toSorted())
    }),
    { numRuns: 100 },
  )
})

describe('companions', () => {
  const anybody = () => true
  const names = (jobs: readonly Job[]) => jobs.map(({ recipient: { address } }) => address.localPart)
  const lineOf = (...batches: readonly (readonly [Delivery, readonly string[]])[]) => {
    const line = new Line()
    for (const [delivery, texts] of batches)
      line.add(
        delivery,
        texts.map((text) => recipient(text)),
      )
    return line
  }
  const lead = (line: Line): Job => line.next() ?? expect.fail('nobody waits')

  test('are of the same delivery, from all of its batches, and leave the line', () => {
    const [one, other] = [delivery('A'), delivery('B')]
    const line = lineOf(
      [one, ['a@x.test', 'b@x.test']],
      [other, ['c@x.test']],
      [one, ['d@y.test', 'e@y.test']],
    )
    const first = lead(line)
    expect(names(line.companions(first, 2, anybody))).toEqual(['b', 'd'])
    expect(line.length).toBe(2)
    expect(names([lead(line), lead(line)])).toEqual(['c', 'e'])
    expect(line.next()).toBeNull()
  })

  test('who may not come stay in the line', () => {
    const one = delivery('A')
    const line = lineOf([one, ['a@x.test', 'b@x.test', 'c@x.test']])
    const first = lead(line)
    expect(line.companions(first, 5, ({ recipient: { address } }) => address.localPart !== 'b')).toEqual([])
    expect(line.length).toBe(2)
  })

  test('who wait again come with all that they have gone through', () => {
    const one = delivery('A')
    const line = lineOf([one, ['a@x.test', 'b@x.test']])
    const [first, second] = [lead(line), lead(line)]
    second.refusals = 1
    line.requeue(second)
    const stranger = lead(lineOf([delivery('B'), ['x@x.test']]))
    line.requeue(stranger)
    expect(line.companions(first, 5, anybody)).toEqual([second])
    expect(line.next()).toBe(stranger)
    expect(line.length).toBe(0)
  })

  test('count with their lead as one transaction', () => {
    const [one, other] = [delivery('A'), delivery('B')]
    const line = lineOf(
      [one, ['a@x.test', 'b@x.test', 'c@x.test']],
      [other, ['d@x.test']],
      [one, ['e@y.test']],
    )
    expect(line.transactions(1, 100, null)).toBe(5)
    expect(line.transactions(2, 100, null)).toBe(3)
    expect(line.transactions(4, 100, null)).toBe(2)
    expect(line.transactions(2, 2, null)).toBe(2)
    // One of the delivery is being served already, and takes three along.
    expect(line.transactions(4, 100, one)).toBe(2)
    expect(line.transactions(5, 100, one)).toBe(1)
  })
})
