/** From an exchanger to the addresses to dial. */
import type { Exchanger } from './exchangers.ts'

/** One address of one exchanger: what a session is opened to. */
export interface Target {
  readonly exchanger: Exchanger
  readonly ip: string
  readonly family: 4 | 6
}
