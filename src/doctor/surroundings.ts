/**
 * What checks may look at. One rule: what several checks need is looked at once, by whoever asks first.
 */
import type { Settings } from '../config/settings.ts'
import type { Clock } from '../time/clock.ts'
import type { DkimObservation } from './dkim-keys.ts'
import type { ServerObservation } from './name-servers.ts'
import type { Questions } from './questions.ts'
import type { DialledReceiver } from './receivers.ts'
import type { OwnAddress, Sender } from './sender.ts'
import type { SpfObservation } from './spf-evaluation.ts'

/** Seams and shared observations of one examination. */
export interface Surroundings {
  readonly settings: Settings
  readonly sender: Sender
  readonly questions: Questions
  readonly clock: Clock
  readonly signal: AbortSignal
  /** What each name server says of the root. */
  nameServers(): Promise<readonly ServerObservation[]>
  /** The large receivers, dialled all at once. */
  receivers(): Promise<readonly DialledReceiver[]>
  /** Our addresses as receivers see them; at most one a family unless more were named. */
  addresses(): Promise<readonly OwnAddress[]>
  /** SPF of the domain. */
  spf(): Promise<SpfObservation>
  /** SPF of each name that EHLO gives, but for the domain itself. */
  heloSpf(): Promise<readonly SpfObservation[]>
  /** The keys that the domain's mail is signed with. */
  dkim(): Promise<DkimObservation>
}
