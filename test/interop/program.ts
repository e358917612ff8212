/** Runs a program of the system to its end. */
import { spawn } from 'node:child_process'

/** How a program ended, and all it said. */
export interface Finished {
  readonly code: number | null
  readonly output: string
}

/** How to run it. */
export interface ProgramOptions {
  readonly cwd: string
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Runs a program to its end, with nothing of the surroundings but PATH. */
export async function runProgram(
  file: string,
  args: readonly string[],
  { cwd, stdin = '', env = {} }: ProgramOptions,
): Promise<Finished> {
  const child = spawn(file, args, {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, LC_ALL: 'C.UTF-8', ...env },
  })
  let output = ''
  const take = (chunk: Buffer) => {
    output += chunk
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  // A program that ends before it has read its input is not the test's concern.
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  return await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, output }))
  })
}
