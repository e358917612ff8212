/** `mxpress send` into a sandbox of the test. */
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { type Finished, type RunOptions, run } from './run.ts'

/** The options that point `send` at a sandbox. */
export function intoSandbox(sandbox: Sandbox): readonly string[] {
  const { dns, port, agentOptions } = sandbox
  return ['--dns', dns, '--port', `${port}`, '--allow-local-addresses', '--hostname', agentOptions.hostname]
}

/** What most tests send: the recipients are all that matters. */
export const fromAlice: readonly string[] = [
  '--from',
  'alice@sender.test',
  '--subject',
  'hi',
  '--text',
  'hello',
]

/** Sends and waits for the end. */
export function sendInto(sandbox: Sandbox, args: readonly string[], options?: RunOptions): Promise<Finished> {
  return run(['send', ...intoSandbox(sandbox), ...args], options)
}

/** TCP connections that the sandbox has seen, all servers together. */
export function connectionsTo(sandbox: Sandbox): number {
  return [...sandbox.statistics.exchangers.values()].reduce((sum, { connections }) => sum + connections, 0)
}
