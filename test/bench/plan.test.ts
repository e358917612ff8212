import { expect, test } from 'vitest'
import type { Contender } from './contender.ts'
import { planHeats } from './plan.ts'
import { workloads } from './workload.ts'

function contender(name: string, takesPart = (): boolean => true): Contender {
  return {
    name,
    keywords: [],
    sendsOurContent: true,
    takesPart,
    send: () => Promise.reject(new Error('not sent')),
  }
}

const matrix = workloads({ quick: false })
const everyone = [contender('ours'), contender('theirs'), contender('never', () => false)]
const planned = (...only: readonly string[]): readonly string[] =>
  planHeats(matrix, everyone, only).flatMap(({ workload, contenders }) =>
    contenders.map(({ name }) => `${workload.octets} ${workload.sessions} ${name}`),
  )

test('without --only every contender takes on every workload that it takes part in', () => {
  expect(planned()).toHaveLength(matrix.length * 2)
})

test('--only keeps the runs whose name holds one of its texts', () => {
  expect(planned('64 KB x 10', ': ours')).toEqual([
    '2048 1 ours',
    '2048 10 ours',
    '2048 50 ours',
    '65536 1 ours',
    '65536 10 ours',
    '65536 10 theirs',
    '65536 50 ours',
  ])
})

test('an --only that names no run is an error which lists the names', () => {
  expect(() => planned('3 KB')).toThrow(/3 KB.*\n2 KB x 1: ours/)
})
