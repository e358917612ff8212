/**
 * Runs the built program as people do: a child process with its own working directory and a clean environment.
 * `npm test` builds first.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, onTestFinished } from 'vitest'

/** The executable. */
export const bin: string = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url))

/** How a command ended. */
export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How to run a command. */
export interface RunOptions {
  readonly cwd?: string
  /** Default: none; `null`: it stays open. */
  readonly stdin?: string | Uint8Array | null
  readonly env?: Readonly<Record<string, string>>
  /** Default: the Node that runs the tests. */
  readonly node?: string
}

// What the commands leave behind on purpose (logs, received mail) goes with the tests.
const root = mkdtempSync(path.join(tmpdir(), 'mxpress-cli-'))
afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 3 }))

/** An empty directory of the test's own. */
export const emptyDirectory = (): Promise<string> => mkdtemp(path.join(root, 'test-'))

/** A command that runs. */
export class Running {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #ended: Promise<number | null>
  #stdout = ''
  #stderr = ''

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    this.#ended = once(child, 'close').then(([code]) => code)
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stderr += chunk
    })
  }

  /** Resolves with standard output once it matches. */
  async printed(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#stdout)) await once(this.#child.stdout, 'data')
    return this.#stdout
  }

  /** Resolves with standard error once it matches. */
  async noted(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#stderr)) await once(this.#child.stderr, 'data')
    return this.#stderr
  }

  /** More standard input, of a command that was started with `stdin: null`. */
  write(input: string | Uint8Array): void {
    this.#child.stdin.write(input)
  }

  /** Goes away as a reader, as `head` does. */
  stopReading(): void {
    this.#child.stdout.destroy()
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async finished(): Promise<Finished> {
    return { code: await this.#ended, stdout: this.#stdout, stderr: this.#stderr }
  }
}

/** Starts a command and leaves it running. */
export async function start(args: readonly string[], options: RunOptions = {}): Promise<Running> {
  const child = spawn(options.node ?? process.execPath, [bin, ...args], {
    cwd: options.cwd ?? (await emptyDirectory()),
    // Nothing of the surroundings: no MXPRESS_*, no colour settings.
    env: { PATH: process.env.PATH, TMPDIR: root, ...options.env },
  })
  // A program that ends before it has read its input is not the test's concern.
  child.stdin.on('error', () => {})
  if (options.stdin !== null) child.stdin.end(options.stdin ?? '')
  // A test that fails leaves nothing running.
  onTestFinished(() => void child.kill('SIGKILL'))
  return new Running(child)
}

/** Runs a command to its end. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return (await start(args, options)).finished()
}
