/** Every relay of the options tried in turn. One rule: a relay that stands there twice with one login is asked once. */
import type { RelaySettings } from '../config/relay-settings.ts'
import type { Settings } from '../config/settings.ts'
import type { RelayFailure } from '../delivery/try-relay.ts'
import type { Exchanger } from '../route/exchangers.ts'
import { relayExchanger } from '../route/static-routes.ts'

/** One relay, and whether it would take mail from us. */
export interface RelayCheck {
  /** As in the options. */
  readonly host: string
  readonly port: number
  /** Where it stopped; `null` when a session was opened, logged in where there is a login, and ended. */
  readonly failure: RelayFailure | null
}

/** How a check is made. */
export interface RelayCheckOptions {
  readonly signal?: AbortSignal
  /** Opens a session and ends it; what it throws, the check does. */
  readonly open: (exchanger: Exchanger, signal: AbortSignal) => Promise<RelayFailure | null>
}

type Relays = Pick<Settings, 'routes' | 'relay' | 'fallbackRelay'>

/** The checks of one agent. Close it. */
export class RelayChecks {
  readonly #running = new Set<Promise<unknown>>()
  readonly #ended = new AbortController()

  /** One relay after the other: some count logins. @throws `signal.reason` */
  run(settings: Relays, { signal, open }: RelayCheckOptions): Promise<readonly RelayCheck[]> {
    const ended = this.#ended.signal
    const either = signal === undefined ? ended : AbortSignal.any([signal, ended])
    const checking = checkEach(relaysOf(settings), (exchanger) => open(exchanger, either))
    this.#running.add(checking)
    return checking.finally(() => this.#running.delete(checking))
  }

  /** Breaks off what runs. */
  async close(reason: Error): Promise<void> {
    this.#ended.abort(reason)
    await Promise.allSettled(this.#running)
  }
}

async function checkEach(
  relays: Iterable<RelaySettings>,
  open: (exchanger: Exchanger) => Promise<RelayFailure | null>,
): Promise<readonly RelayCheck[]> {
  const checks: RelayCheck[] = []
  for (const relay of relays) {
    const { host, port } = relay
    checks.push({ host, port, failure: await open(relayExchanger(relay)) })
  }
  return checks
}

function relaysOf({ routes, relay, fallbackRelay }: Relays): Iterable<RelaySettings> {
  const relays = new Map<string, RelaySettings>()
  for (const one of [relay, fallbackRelay, ...Object.values(routes)]) {
    if (one === null || typeof one === 'string') continue
    const name = `${one.host}:${one.port} ${one.login?.user ?? ''}`
    if (!relays.has(name)) relays.set(name, one)
  }
  return relays.values()
}
