/** The exchanger that the tests of this folder name. */
import type { Exchanger } from '../../src/route/exchangers.ts'

/** An exchanger as MX records make them. */
export const exchanger = (host: string, preference = 10, rest: Partial<Exchanger> = {}): Exchanger => ({
  host,
  preference,
  implicit: false,
  port: 25,
  ...rest,
})
