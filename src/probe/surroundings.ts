/** What a run works with; made once, the same for every target. */
import { randomBytes } from 'node:crypto'
import { type DialogueListener, harmless } from '../client/dialogue.ts'
import { familiesOfSources } from '../client/source-address.ts'
import type { TlsClient } from '../client/tls.ts'
import { tlsClientFor } from '../client/trust.ts'
import { systemHostname } from '../config/hostname.ts'
import { createCachingResolver } from '../dns/cache.ts'
import type { Resolver } from '../dns/resolver.ts'
import { createSystemResolver } from '../dns/system.ts'
import type { Router } from '../route/route.ts'
import { createRouter } from '../route/router.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import type { ProbeSeams, ProbeSettings } from './options.ts'
import { Reachability } from './reachability.ts'
import { ProbeSlots } from './slots.ts'

/** The seams and settings of one run. */
export interface ProbeSurroundings {
  readonly settings: ProbeSettings
  readonly hostname: string
  /** The one below the router, so that both share its memory. */
  readonly resolver: Resolver
  readonly router: Router
  readonly tlsClient: TlsClient
  readonly slots: ProbeSlots
  readonly reachability: Reachability
  readonly clock: Clock
  readonly random: () => number
  readonly trace: DialogueListener | null
}

/** @throws {ConfigError} the system has no name to give in EHLO, or the file of CAs cannot be used. */
export async function openSurroundings(
  settings: ProbeSettings,
  seams: ProbeSeams,
): Promise<ProbeSurroundings> {
  const { hostname: configured, sourceAddresses, dns, smtp, tls } = settings.agent
  const clock = seams.clock ?? systemClock
  const tlsClient = tlsClientFor(tls, { inspects: true })
  const hostname = configured ?? (await systemHostname())
  const resolver = createCachingResolver(seams.resolver ?? createSystemResolver(dns), { clock })
  return {
    settings,
    hostname,
    resolver,
    router: createRouter({
      resolver,
      hostname,
      otherHostnames: Object.values(settings.agent.sourceHostnames),
      port: smtp.port,
      allowLocalAddresses: smtp.allowLocalAddresses,
      routes: settings.routes,
      families: familiesOfSources(sourceAddresses),
    }),
    tlsClient,
    slots: new ProbeSlots(settings),
    reachability: new Reachability(() => clock.monotonic()),
    clock,
    // Nobody shall be able to prepare for the mailbox that is made up.
    random: seams.random ?? (() => randomBytes(4).readUInt32LE() / 2 ** 32),
    trace: seams.trace === undefined ? null : harmless(seams.trace, warn),
  }
}

function warn(text: string): void {
  process.emitWarning(text, 'MxpressWarning')
}
