/** How a session is opened, and what is told of its opening. One rule: what is not said is not done: no login, no implicit TLS. */

import type { Timeouts } from '../config/timeouts.ts'
import type { Reply } from '../smtp/reply.ts'
import type { TlsPolicy } from '../tls/policy.ts'
import type { Login } from './authenticate.ts'
import type { OpeningStage } from './session-open-error.ts'
import type { TlsClient, TlsState } from './tls.ts'

/** What every session of an agent is opened with. */
export interface SessionOptions {
  /** The name given in EHLO: the host's FQDN, or an address literal (RFC 5321 §4.1.4). */
  readonly hostname: string
  /** Names given instead of it, by our address in the session; addresses in their one spelling. Default: none. */
  readonly sourceHostnames?: ReadonlyMap<string, string>
  readonly timeouts: Timeouts
  readonly tlsPolicy: TlsPolicy
  readonly tlsClient: TlsClient
  /** Told of each stage of the opening as it ends; EHLO comes once more after STARTTLS. */
  readonly onStage?: (stage: OpenedStage) => void
  /** Told what a handshake gave, also where the policy does not accept it. */
  readonly onHandshake?: (state: TlsState) => void
  /** Open no further than to the end of this stage; the session is good for QUIT only then. Default: all the way. */
  readonly until?: 'greeting' | 'ehlo'
  /** TLS from the first octet on. Default false: by STARTTLS. */
  readonly isTlsImplicit?: boolean
  /** Default `null`: nobody logs in. */
  readonly login?: Login | null
}

/** How one stage of the opening ended. */
export interface OpenedStage {
  readonly stage: OpeningStage
  /** The last reply in it; `null` when none came. */
  readonly reply: Reply | null
  /** What ended the opening here; `null` when it went on. */
  readonly error: Error | null
  readonly durationMs: number
}
