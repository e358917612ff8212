/**
 * What an agent works with: looked up and opened once, before the first message. One rule: whatever can be wrong with name,
 * passwords, keys and log is found here, before anything is connected to.
 */
import { type DialogueListener, harmless } from '../client/dialogue.ts'
import { familiesOfSources, hostnamesBySource } from '../client/source-address.ts'
import { tlsClientFor } from '../client/trust.ts'
import { systemHostname } from '../config/hostname.ts'
import type { Settings } from '../config/settings.ts'
import { Deliverer } from '../delivery/deliver.ts'
import { Limits } from '../delivery/limits.ts'
import type { Surroundings } from '../delivery/surroundings.ts'
import { TargetMemory } from '../delivery/target-memory.ts'
import { createCachingResolver } from '../dns/cache.ts'
import type { Resolver } from '../dns/resolver.ts'
import { createSystemResolver } from '../dns/system.ts'
import type { Log } from '../log/log.ts'
import type { Signer } from '../mail/signer.ts'
import type { Router } from '../route/route.ts'
import { createRouter } from '../route/router.ts'
import type { Clock } from '../time/clock.ts'
import type { AgentSeams } from './agent.ts'
import { checkSecrets } from './check-settings.ts'
import { openSigning, type Signing } from './signing.ts'

/** The parts of one agent. */
export interface AgentParts {
  readonly hostname: string
  readonly log: Log
  readonly router: Router
  readonly signer: Signer | null
  readonly rereadKeys: Signing['rereadKeys']
  readonly deliverer: Deliverer
  /** Tells the operator, in the log and as the agent's owner wants it. */
  readonly warn: (text: string) => void
}

/** What they are made of. */
export interface PartsPlan {
  readonly settings: Settings
  readonly seams: AgentSeams
  readonly clock: Clock
  readonly random: () => number
  /** Called once; who gives it closes the log. */
  readonly openLog: () => Promise<Log>
}

/** @throws {ConfigError} {@link LogFileError} */
export async function openParts(plan: PartsPlan): Promise<AgentParts> {
  const { settings, seams, clock } = plan
  const hostname = settings.hostname ?? (await systemHostname())
  const tlsClient = tlsClientFor(settings.tls)
  await checkSecrets(settings)
  const asked = seams.resolver ?? createSystemResolver(settings.dns)
  const { signer, warnings, rereadKeys } = await openSigning({
    settings,
    resolver: asked,
    now: () => clock.now(),
    onUnsigned: (unsigned) => log.write({ kind: 'unsigned', id: '-', ...unsigned }),
  })
  const log = await plan.openLog()
  const warn = warner(log, seams)
  for (const text of warnings) warn(text)
  const router = routerFor(settings, { hostname, log, resolver: createCachingResolver(asked, { clock }) })
  const deliverer = new Deliverer({
    router,
    limits: new Limits(settings.delivery),
    memory: new TargetMemory(clock),
    session: sessionOptions(settings, { hostname, tlsClient }),
    signer,
    log,
    clock,
    random: plan.random,
    trace: traceOf(seams, warn),
  })
  return { hostname, log, router, signer, rereadKeys, deliverer, warn }
}

function warner(log: Log, { onWarning }: AgentSeams): AgentParts['warn'] {
  return (text) => {
    log.write({ kind: 'trouble', id: '-', error: text })
    if (onWarning !== undefined) onWarning(text)
    else process.emitWarning(text, 'MxpressWarning')
  }
}

function routerFor(
  settings: Settings,
  { hostname, log, resolver }: Pick<AgentParts, 'hostname' | 'log'> & { readonly resolver: Resolver },
): Router {
  const { smtp, routes, relay, fallbackRelay, sourceAddresses, sourceHostnames } = settings
  return createRouter({
    resolver,
    hostname,
    otherHostnames: Object.values(sourceHostnames),
    port: smtp.port,
    allowLocalAddresses: smtp.allowLocalAddresses,
    routes,
    relay,
    fallbackRelay,
    families: familiesOfSources(sourceAddresses),
    onLookup: (lookup) => log.write({ kind: 'lookup', id: '-', ...lookup }),
  })
}

function sessionOptions(
  { sourceAddresses, sourceHostnames, timeouts, tls }: Settings,
  common: Pick<Surroundings['session'], 'hostname' | 'tlsClient'>,
): Surroundings['session'] {
  return {
    ...common,
    sourceAddresses,
    sourceHostnames: hostnamesBySource(sourceHostnames),
    timeouts,
    tlsPolicy: { ...tls, decidedBy: 'configuration' },
  }
}

function traceOf({ trace }: AgentSeams, warn: AgentParts['warn']): DialogueListener | null {
  return trace === undefined ? null : harmless(trace, warn)
}
