/**
 * Who may connect while others are connected.
 * One rule: whoever has not shown who he is leaves room for those who have, and for the programs of this host.
 */
import { networkOf } from './auth-failures.ts'

/** Of all connections, those of strangers who have not logged in; Postfix leaves half of its processes free likewise. */
const strangersShare = 1 / 2
/** Of all connections, those of one stranger; with the default of 200, Postfix's `smtpd_client_connection_count_limit`. */
const strangerShare = 1 / 4

/** A connection, as far as it counts. */
export interface Occupant {
  readonly remoteAddress: string
  /** From where strangers can come, and not logged in (yet). */
  readonly isStranger: boolean
}

/** Whether the newcomer, who is among the occupants already, may stay. */
export function hasRoom(newcomer: Occupant, occupants: Iterable<Occupant>, max: number): boolean {
  const all = [...occupants]
  if (all.length > max) return false
  if (!newcomer.isStranger) return true
  const strangers = all.filter(({ isStranger }) => isStranger)
  const network = networkOf(newcomer.remoteAddress)
  const ofNetwork = strangers.filter(({ remoteAddress }) => networkOf(remoteAddress) === network)
  return (
    strangers.length <= Math.ceil(max * strangersShare) && ofNetwork.length <= Math.ceil(max * strangerShare)
  )
}
