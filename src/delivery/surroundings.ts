/** What a delivery works with; made once per agent, the same for every site. */
import type { DialogueListener } from '../client/dialogue.ts'
import type { TlsClient } from '../client/tls.ts'
import type { Timeouts } from '../config/timeouts.ts'
import type { Log } from '../log/log.ts'
import type { Signer } from '../mail/signer.ts'
import type { Router } from '../route/route.ts'
import type { Clock } from '../time/clock.ts'
import type { TlsPolicy } from '../tls/policy.ts'
import type { Limits } from './limits.ts'
import type { TargetMemory } from './target-memory.ts'

/** How sessions are opened. */
export interface SessionSettings {
  /** The name given in EHLO. */
  readonly hostname: string
  readonly sourceAddresses: readonly string[]
  /** Given instead of `hostname`, by our address in the session. */
  readonly sourceHostnames?: ReadonlyMap<string, string>
  readonly timeouts: Timeouts
  readonly tlsPolicy: TlsPolicy
  readonly tlsClient: TlsClient
}

/** The seams and settings of one agent. */
export interface Surroundings {
  readonly router: Router
  readonly limits: Limits
  readonly memory: TargetMemory
  readonly session: SessionSettings
  /** `null`: nothing is signed. */
  readonly signer: Signer | null
  readonly log: Log
  readonly clock: Clock
  /** From 0 to below 1; shuffles exchangers of equal preference. */
  readonly random: () => number
  /** Takes the dialogue of every session, or nobody does. */
  readonly trace: DialogueListener | null
}
