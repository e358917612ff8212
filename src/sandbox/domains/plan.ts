/** The form in which a domain of the sandbox is described. */
import type { Clock } from '../../time/clock.ts'
import type { OrdinaryBehaviour } from '../ordinary-exchanger.ts'
import type { Script } from '../script.ts'
import type { ZoneEntry } from '../zone.ts'

/** What becomes of a message to the domain's mailbox, sent with default settings, the first time. */
export interface ExpectedOutcome {
  readonly outcome: 'delivered' | 'deferred' | 'failed'
  /** The message may have arrived all the same. */
  readonly uncertain?: true
  /** Enhanced status; absent where more than one is right. */
  readonly status?: string
}

/** A domain of the simulated internet. */
export interface SandboxDomain {
  /** Lower-case A-labels. */
  readonly domain: string
  /** A mailbox to try. */
  readonly mailbox: string
  /** One line for an overview. */
  readonly description: string
  /** What becomes of a message to `mailbox`. */
  readonly expected: ExpectedOutcome
  /** The sender sits out one of its own time limits before it knows: minutes, with the usual limits. */
  readonly waits: boolean
}

/** One exchanger of a domain. */
export interface HostPlan {
  /** First label of its name; the domain follows. */
  readonly label: string
  readonly preference: number
  /** `nobody`: its address refuses connections. */
  readonly server: OrdinaryBehaviour | Script | 'nobody'
  /** Default 4. */
  readonly family?: 4 | 6
}

/** A domain with all that is needed to run it. */
export interface DomainPlan extends SandboxDomain {
  /** `host`: the domain itself is the host and has no MX record (RFC 5321 §5.1, implicit MX). */
  readonly hosts: readonly HostPlan[] | { readonly host: HostPlan['server'] }
  /** Instead of what follows from the hosts, by full name. */
  readonly records?: Readonly<Record<string, ZoneEntry>>
}

/** What the catalogue depends on. */
export interface CatalogueSettings {
  readonly greylistMs: number
  readonly maxConnections: number
  readonly clock: Clock
  /** The machine has ::1. */
  readonly ipv6: boolean
}

/** An exchanger that takes everything. */
export const ordinary: OrdinaryBehaviour = { kind: 'ordinary' }

type Described = Omit<DomainPlan, 'mailbox' | 'waits' | 'hosts'> & Partial<DomainPlan>

/** Fills in what most domains have: `user@`, no waiting, one ordinary exchanger. */
export const domain = (described: Described): DomainPlan => ({
  mailbox: `user@${described.domain}`,
  waits: false,
  hosts: [{ label: 'mx', preference: 10, server: ordinary }],
  ...described,
})

/** One exchanger named `mx`. */
export const only = (server: HostPlan['server']): readonly HostPlan[] => [
  { label: 'mx', preference: 10, server },
]

/** Exchangers named `mx1`, `mx2` … with preferences 10, 20 … */
export const inOrder = (...servers: readonly HostPlan['server'][]): readonly HostPlan[] =>
  servers.map((server, at) => ({ label: `mx${at + 1}`, preference: (at + 1) * 10, server }))

/** Shorthands for outcomes. */
export const delivered: ExpectedOutcome = { outcome: 'delivered' }
export const deferred = (status: string): ExpectedOutcome => ({ outcome: 'deferred', status })
export const failed = (status: string): ExpectedOutcome => ({ outcome: 'failed', status })
