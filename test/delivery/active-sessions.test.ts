import { expect, test } from 'vitest'
import type { Session } from '../../src/client/session.ts'
import { ActiveSessions } from '../../src/delivery/active-sessions.ts'

const [a, b, c] = [{}, {}, {}] as unknown as readonly [Session, Session, Session]

test.each([
  ['the first', a, [c, b]],
  ['one between', b, [a, c]],
  ['the last', c, [a, b]],
])('without %s the others stay', (_, gone, left) => {
  const active = new ActiveSessions()
  for (const session of [a, b, c]) active.add(session)
  active.delete(gone)
  expect([...active].map((session) => [a, b, c].indexOf(session))).toEqual(
    left.map((session) => [a, b, c].indexOf(session)),
  )
  for (const session of left) active.delete(session)
  expect([...active]).toEqual([])
})
