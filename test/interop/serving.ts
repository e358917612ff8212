/** `mxpress serve` of the built program, for a whole file of tests, and the sendmail of its host. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const built = (file: string) => fileURLToPath(new URL(`../../dist/cli/${file}`, import.meta.url))

/** How a daemon is to be started. */
export interface ServeOptions {
  readonly args: readonly string[]
  /** `MXPRESS_*` variables, for the daemon and for its host's sendmail. */
  readonly env?: Readonly<Record<string, string>>
}

/** A daemon that is ready; ended and its directory removed when it is disposed of. */
export interface ServingDaemon extends AsyncDisposable {
  /** Of its submission listener at 127.0.0.1. */
  readonly port: number
  /** Its working directory; the queue is in it. */
  readonly cwd: string
  /** An executable that stands for /usr/sbin/sendmail of the daemon's host. */
  readonly sendmail: string
}

/**
 * Starts a daemon with a queue of its own.
 * @throws {Error} with what it said, when it does not come up
 */
export async function serve({ args, env = {} }: ServeOptions): Promise<ServingDaemon> {
  const cwd = await mkdtemp(path.join(tmpdir(), 'mxpress-serve-'))
  await using started = new AsyncDisposableStack()
  started.defer(() => rm(cwd, { recursive: true, force: true, maxRetries: 5 }))
  const child = spawn(process.execPath, [built('bin.js'), 'serve', '--listen', '127.0.0.1:0', ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  started.defer(async () => {
    child.kill('SIGTERM')
    await ended
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk
  })
  const [line] = await Promise.race([once(child.stdout, 'data'), ended])
  const [, port] = /^ready: submission 127\.0\.0\.1:(\d+)\n$/.exec(`${line}`) ?? []
  if (port === undefined) throw new Error(`mxpress serve did not start: ${line}\n${said}`)
  const sendmail = await writeSendmail(cwd, env)
  const running = started.move()
  return { port: Number(port), cwd, sendmail, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/**
 * What an operator puts in the place of the system's: the bin, with the daemon's queue. Whoever calls it, its options are
 * these and no others of the surroundings.
 */
async function writeSendmail(cwd: string, env: Readonly<Record<string, string>>): Promise<string> {
  const settings = { MXPRESS_QUEUE_DIR: path.join(cwd, 'queue'), MXPRESS_HOSTNAME: 'sender.test', ...env }
  const variables = Object.entries(settings).map(([name, value]) => `'${name}=${value}'`)
  const file = path.join(cwd, 'sendmail')
  const command = [process.execPath, built('sendmail-bin.js')].map((word) => `'${word}'`)
  await writeFile(file, `#!/bin/sh\nexec env -i ${[...variables, ...command].join(' ')} "$@"\n`)
  await chmod(file, 0o755)
  return file
}
