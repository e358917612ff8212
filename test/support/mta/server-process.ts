/**
 * A mail server's processes: one process group that we start and, by its id alone, end.
 * Its output goes to a file in the server's directory, so nothing is lost that it says before it logs.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { waitUntil } from './wait-until.ts'

/** How to start a server in the foreground. */
export interface ServerCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** File that takes what the server writes to stdout and stderr. */
  readonly outputFile: string
}

/** What runs now. A process that ends early takes its servers with it. */
const running = new Set<ServerProcess>()
process.on('exit', () => {
  for (const server of running) server.kill()
})

/** The processes of one server. */
export class ServerProcess {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
    running.add(this)
  }

  /** Without waiting. */
  kill(): void {
    this.#signal('SIGKILL')
  }

  /** Starts the server as the leader of a new process group. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const output = openSync(command.outputFile, 'a')
    try {
      const child = spawn(command.file, command.args, {
        detached: true,
        stdio: ['ignore', output, output],
        env: command.env ?? { PATH: process.env.PATH },
      })
      await once(child, 'spawn')
      return new ServerProcess(child)
    } finally {
      closeSync(output)
    }
  }

  /** The leader's. */
  get pid(): number {
    return this.#child.pid ?? Number.NaN
  }

  /** What became of the leader, or `undefined` while it runs. */
  get ended(): string | undefined {
    const { exitCode, signalCode } = this.#child
    if (signalCode !== null) return `ended by ${signalCode}`
    return exitCode === null ? undefined : `ended with code ${exitCode}`
  }

  /** Asks the whole group to end, insists after five seconds, and returns when nothing of it is left. */
  async stop(): Promise<void> {
    this.#signal('SIGTERM')
    try {
      await this.#gone(5_000)
    } catch {
      this.kill()
      await this.#gone(10_000)
    }
    running.delete(this)
  }

  #gone(timeoutMs: number): Promise<true> {
    return waitUntil(
      () => (this.#signal(0) ? undefined : true),
      timeoutMs,
      () => `process group ${this.#child.pid} still runs`,
    )
  }

  /** Signals every process of the group; `false` when there is none. */
  #signal(signal: NodeJS.Signals | 0): boolean {
    if (this.#child.pid === undefined) return false
    try {
      return process.kill(-this.#child.pid, signal)
    } catch {
      return false
    }
  }
}
