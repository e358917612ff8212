/**
 * The agent: one object that sends mail. It owns the sessions, the DNS cache and the log.
 *
 * One rule: everything that can be wrong with options, message or addresses is found before anything is connected to.
 */
import type { Agent, AgentSeams } from './agent/agent.ts'
import { checkRoutes } from './agent/check-settings.ts'
import { DirectAgent } from './agent/direct-agent.ts'
import type { AgentOptions } from './config/options.ts'
import { resolveSettings } from './config/settings.ts'

export type { Agent, AgentSeams, EnqueueOptions, SendOptions } from './agent/agent.ts'
export type { Enqueued } from './agent/mail-queue.ts'
export type { RelayCheck } from './agent/relay-check.ts'
export type { QueueResult } from './agent/results.ts'
export type { DialogueLine } from './client/dialogue.ts'
export type { PlannedExchanger, PlannedRoute } from './delivery/plan.ts'
export type { AttemptReport, RecipientReport, SendReport } from './delivery/report.ts'
export type { RelayFailure } from './delivery/try-relay.ts'

/**
 * Makes an agent.
 * @param options the keys of `mxpress.toml`; all have defaults
 * @throws {TypeError} for a wrong option: its name, what was expected, what was found
 * @example
 * ```ts
 * await using agent = createAgent({ hostname: 'mail.example.org' })
 * const report = await agent.send({ from: 'alice@example.org', to: 'bob@example.net', subject: 'Hi', text: 'Hello' })
 * ```
 */
export function createAgent(options: AgentOptions = {}, seams: AgentSeams = {}): Agent {
  const settings = resolveSettings(options)
  // A malformed route is a wrong option; said now, not at the first message.
  checkRoutes(settings)
  return new DirectAgent(settings, seams)
}
