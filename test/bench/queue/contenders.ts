/** The two daemons of the queue's benchmark, each with a queue of its own on the same disk. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { findInstallation } from '../../support/mta/installation.ts'
import { startPostfix } from '../../support/mta/postfix.ts'
import { type ServerCommand, ServerProcess } from '../../support/mta/server-process.ts'
import { waitUntil } from '../../support/mta/wait-until.ts'

const run = promisify(execFile)
const bin = new URL('../../../dist/cli/bin.js', import.meta.url).pathname
const limitMs = 30_000

/** A daemon that takes mail and keeps it, until it is told to deliver. */
export interface QueueContender extends AsyncDisposable {
  readonly name: string
  /** Of its first process. */
  readonly pid: number
  /** Of its submission listener, at `ip`. */
  readonly ip: string
  readonly port: number
  /** Delivers what it has, to the sites: a domain each, `d0.test` at the first. Resolves once it has begun. */
  deliver(): Promise<void>
}

/** Where mail for `d0.test`, `d1.test`, … goes. */
export interface Sites {
  readonly addresses: readonly string[]
  readonly port: number
}

/** Starts a contender; `null` where it is not to be had. */
export type Start = (sites: Sites) => Promise<QueueContender | null>

/** mxpress as it is shipped. `prefix`: a program to run it under. */
export async function startMxpress(sites: Sites, prefix: readonly string[] = []): Promise<QueueContender> {
  return startMxpressIn(await mkdtemp(path.join(tmpdir(), 'mxpress-bench-')), sites, prefix)
}

/** The same in a directory that may hold a queue already; it is removed at the end. */
export async function startMxpressIn(
  home: string,
  sites: Sites,
  prefix: readonly string[] = [],
): Promise<QueueContender> {
  // Nobody listens there: one probe, and the site is left alone.
  await configure(home, { ...sites, port: 9 })
  let server = await startIn(home, prefix)
  const port = await portIn(home)
  return {
    name: 'mxpress',
    get pid() {
      return server.pid
    },
    ip: '127.0.0.1',
    port,
    async deliver() {
      await server.stop()
      await configure(home, sites)
      server = await startIn(home, prefix)
      await portIn(home)
      await run(process.execPath, [bin, 'queue', 'retry', '--all'], { cwd: home })
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}

async function configure(home: string, { addresses, port }: Sites): Promise<void> {
  const routes = addresses.map((address, index) => `"d${index}.test" = "${address}:${port}"`)
  const lines = ['hostname = "bench.sender.test"', '[submission]', 'listen = ["127.0.0.1:0"]', '[routes]']
  await writeFile(path.join(home, 'mxpress.toml'), [...lines, ...routes, ''].join('\n'))
  await rm(path.join(home, 'output'), { force: true })
}

function startIn(home: string, prefix: readonly string[]): Promise<ServerProcess> {
  const [file = '', ...args] = [...prefix, process.execPath, bin, 'serve']
  const config = ['--config', path.join(home, 'mxpress.toml'), '--queue', path.join(home, 'queue')]
  const command: ServerCommand = {
    file,
    args: [...args, ...config, '--log', path.join(home, 'log')],
    env: { PATH: process.env.PATH },
    outputFile: path.join(home, 'output'),
  }
  return ServerProcess.start(command)
}

function portIn(home: string): Promise<number> {
  const read = async (): Promise<number | undefined> => {
    const output = await readFile(path.join(home, 'output'), 'utf8')
    const [, port] = /^ready: .*:(\d+)$/m.exec(output) ?? []
    return port === undefined ? undefined : Number(port)
  }
  return waitUntil(read, limitMs, () => 'no ready line')
}

/** Postfix as it is shipped, but for where it sends; `null` where it is not to be had. */
export async function startPostfixQueue({ addresses, port }: Sites): Promise<QueueContender | null> {
  const installation = findInstallation('postfix')
  if (installation.kind === 'missing') return null
  const { root } = installation
  const transports = addresses.map((address, index) => `{d${index}.test=smtp:[${address}]:${port}}`)
  const mta = await startPostfix(root, {
    address: '127.81.0.9',
    domain: 'unused.test',
    mailboxes: [],
    settings: {
      mynetworks: '127.0.0.0/8',
      smtpd_recipient_restrictions: 'permit_mynetworks,reject',
      default_transport: 'smtp',
      transport_maps: `inline:{${transports.join(', ')}}`,
      smtp_tls_security_level: 'none',
      defer_transports: 'smtp',
      // Else it slows its clients down while nothing leaves the queue.
      in_flow_delay: '0',
    },
    services: [
      'pickup unix n - n 60 1 pickup',
      'smtp unix - - n - - smtp',
      'relay unix - - n - - smtp',
      'showq unix n - n - - showq',
      'flush unix n - n 1000? 0 flush',
      'scache unix - - n - 1 scache',
    ],
  })
  const home = path.dirname(mta.certificateFile)
  const pid = Number(await readFile(path.join(home, 'queue/pid/master.pid'), 'utf8'))
  const env = {
    PATH: process.env.PATH,
    LD_LIBRARY_PATH: path.join(root, 'usr/lib/postfix'),
    MAIL_CONFIG: path.join(home, 'etc'),
  }
  return {
    name: 'Postfix',
    pid,
    ip: mta.ip,
    port: mta.port,
    async deliver() {
      // What has not been deferred yet would be after the flush, and wait for the next run of the queue.
      await waitUntil(
        () => isAllDeferred(path.join(home, 'queue')),
        600_000,
        () => 'Postfix still defers',
      )
      await run(path.join(root, 'usr/sbin/postconf'), ['-e', 'defer_transports='], { env })
      process.kill(pid, 'SIGHUP')
      await run(path.join(root, 'usr/sbin/postqueue'), ['-f'], { env })
    },
    [Symbol.asyncDispose]: () => mta.close(),
  }
}

async function isAllDeferred(queue: string): Promise<true | undefined> {
  const places = ['maildrop', 'incoming', 'active'].map((name) => path.join(queue, name))
  const { stdout } = await run('find', [...places, '-type', 'f', '-print', '-quit'])
  return stdout === '' ? true : undefined
}
