/**
 * How a session with a target is opened: as the configuration says of all exchangers, or as it says of this relay.
 * One rule: who logs in does so at the relay that the login was written down for, and nowhere else.
 */
import type { SessionOptions } from '../client/session-options.ts'
import type { LoginSettings } from '../config/relay-settings.ts'
import { readSecret } from '../config/secret.ts'
import type { Target } from '../route/targets.ts'
import type { Surroundings } from './surroundings.ts'
import type { TargetMemory } from './target-memory.ts'

/** Those of the target. */
export function sessionOptionsFor(
  { exchanger }: Target,
  { session: settings, memory }: Pick<Surroundings, 'session' | 'memory'>,
): SessionOptions {
  const { relay } = exchanger
  if (relay === undefined) return settings
  const { tlsMode, isTlsImplicit, login } = relay
  return {
    ...settings,
    tlsPolicy: { mode: tlsMode, minVersion: settings.tlsPolicy.minVersion, decidedBy: 'relay' },
    isTlsImplicit,
    login: login === null ? null : loginOf(login, memory),
  }
}

function loginOf(settings: LoginSettings, memory: TargetMemory) {
  const { secret, ...login } = settings
  return { ...login, readSecret: () => readSecret(secret), refused: memory.refusedSecretsOf(settings) }
}
