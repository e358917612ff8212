/** Turns a server's processes and its Maildirs into an `Mta`; the same for every program. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readGreeting } from './greeting.ts'
import { removeHome } from './home.ts'
import { readMaildir } from './maildir.ts'
import type { Mta } from './mta.ts'
import { type ServerCommand, ServerProcess } from './server-process.ts'
import { waitUntil } from './wait-until.ts'

/** What differs from server to server. */
export interface MtaSetup {
  readonly name: string
  readonly ip: string
  readonly port: number
  readonly domain: string
  readonly version: string
  /** The server's own directory; removed when it is closed. */
  readonly home: string
  /** Directory with a Maildir for each user. */
  readonly mailboxes: string
  readonly certificateFile: string
  /** Files the server logs to, beside its output. */
  readonly logFiles: readonly string[]
  readonly command: ServerCommand
}

/**
 * Starts the server and waits until it greets.
 * @throws {Error} when it ends or stays silent for half a minute, with its log.
 */
export async function runMta(setup: MtaSetup): Promise<Mta> {
  const server = await ServerProcess.start(setup.command)
  const mta = new RunningMta(setup, server)
  try {
    await waitUntil(
      () => (server.ended === undefined ? readGreeting(setup.ip, setup.port) : server.ended),
      30_000,
      () => 'no greeting',
    )
    if (server.ended !== undefined) throw new Error(server.ended)
  } catch (error) {
    const log = mta.log()
    await mta.close()
    throw new Error(`${setup.name} did not start:\n${log}`, { cause: error })
  }
  return mta
}

class RunningMta implements Mta {
  readonly name: string
  readonly ip: string
  readonly port: number
  readonly domain: string
  readonly version: string
  readonly certificateFile: string
  readonly #setup: MtaSetup
  readonly #server: ServerProcess

  constructor(setup: MtaSetup, server: ServerProcess) {
    this.name = setup.name
    this.ip = setup.ip
    this.port = setup.port
    this.domain = setup.domain
    this.version = setup.version
    this.certificateFile = setup.certificateFile
    this.#setup = setup
    this.#server = server
  }

  mailbox(user: string): Promise<readonly Buffer[]> {
    return readMaildir(join(this.#setup.mailboxes, user))
  }

  waitForMail(user: string, count: number, timeoutMs = 30_000): Promise<readonly Buffer[]> {
    const enough = async () => {
      const messages = await this.mailbox(user)
      return messages.length >= count ? messages : undefined
    }
    return waitUntil(enough, timeoutMs, () => `${count} messages for ${user} at ${this.name}\n${this.log()}`)
  }

  log(): string {
    const files = [this.#setup.command.outputFile, ...this.#setup.logFiles]
    return files.map(readIfThere).join('')
  }

  async waitForLog(pattern: RegExp, timeoutMs = 30_000): Promise<void> {
    const found = () => (pattern.test(this.log()) ? true : undefined)
    await waitUntil(found, timeoutMs, () => `${pattern} in the log of ${this.name}\n${this.log()}`)
  }

  async close(): Promise<void> {
    await this.#server.stop()
    await removeHome(this.#setup.home)
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
