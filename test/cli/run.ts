/**
 * Runs the built program as people do: a child process with its own working directory and a clean environment.
 * `npm test` builds first.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

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
  readonly stdin?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Default: the Node that runs the tests. */
  readonly node?: string
}

/** An empty directory of the test's own. */
export const emptyDirectory = (): Promise<string> => mkdtemp(path.join(tmpdir(), 'mxpress-cli-'))

/** Starts a command and leaves it running. */
export async function start(
  args: readonly string[],
  options: RunOptions = {},
): Promise<ChildProcessWithoutNullStreams> {
  const child = spawn(options.node ?? process.execPath, [bin, ...args], {
    cwd: options.cwd ?? (await emptyDirectory()),
    // Nothing of the surroundings: no MXPRESS_*, no colour settings.
    env: { PATH: process.env.PATH, ...options.env },
  })
  // A program that ends before it has read its input is not the test's concern.
  child.stdin.on('error', () => {})
  child.stdin.end(options.stdin ?? '')
  return child
}

/** Waits for a command that runs. */
export async function finish(child: ChildProcessWithoutNullStreams): Promise<Finished> {
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, stdout, stderr }
}

/** Runs a command to its end. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return finish(await start(args, options))
}
