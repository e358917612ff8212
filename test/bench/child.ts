/**
 * A Node child process that talks over IPC. One rule: it never outlives its deadline or its parent.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** How a child is started. */
export interface ChildOptions {
  /** The module that runs; it gets `job` as its first message. */
  readonly module: URL
  readonly job: unknown
  readonly deadlineMs: number
  /** Options of Node itself. */
  readonly execArgv?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A running child; dispose it to end it. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #name: string
  readonly #deadline: NodeJS.Timeout
  readonly #messages: unknown[] = []
  #isLate = false
  #wake = (): void => {}

  constructor({ module, job, deadlineMs, execArgv = [], env = {} }: ChildOptions) {
    this.#name = fileURLToPath(module)
    this.#process = fork(module, {
      execArgv: [...execArgv],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#process.on('message', (message) => {
      this.#messages.push(message)
      this.#wake()
    })
    this.#process.on('exit', () => this.#wake())
    this.#deadline = setTimeout(() => {
      this.#isLate = true
      this.#process.kill('SIGKILL')
    }, deadlineMs)
    this.send(job)
  }

  send(message: unknown): void {
    // A child that is gone is found out by `receive`.
    if (this.#process.connected) this.#process.send(message as object, () => {})
  }

  /** The child's next message. @throws {Error} when it exits or is out of time first. */
  async receive<T>(): Promise<T> {
    while (this.#messages.length === 0) {
      if (this.#hasExited)
        throw new Error(`${this.#name} ${this.#isLate ? 'was out of time' : 'exited early'}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#messages.shift() as T
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#deadline)
    if (this.#hasExited) return
    const exit = once(this.#process, 'exit')
    // A profile is written on the way out, so the child is asked first.
    if (this.#process.connected) this.#process.disconnect()
    const force = setTimeout(() => this.#process.kill('SIGKILL'), 5_000)
    await exit
    clearTimeout(force)
  }

  get #hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }
}

/** The child's side: its job. The process exits when the parent lets go of it or is gone. */
export async function takeJob<T>(): Promise<T> {
  process.once('disconnect', () => process.exit())
  const [job] = await once(process, 'message')
  return job as T
}

/** The child's side: a message to the parent. */
export function tellParent(message: unknown): void {
  process.send?.(message as object)
}
