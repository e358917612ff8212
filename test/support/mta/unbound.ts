/**
 * Unbound, a resolver as people run it, on loopback: it has the whole world in one zone file, the root's, and asks nobody
 * else; ldns signs the zone, so that what it says of validation is true.
 */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createSystemResolver } from '../../../src/dns/system.ts'
import { freePort, makeHome, removeHome } from './home.ts'
import { isExecutable, sayMissing, unpackedDir } from './installation.ts'
import { ServerProcess } from './server-process.ts'
import { waitUntil } from './wait-until.ts'

const run = promisify(execFile)

/** A running Unbound; close it. */
export interface Unbound extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly server: string
}

/** What it is to know, and to believe. */
export interface UnboundOptions {
  /** Lines of a zone file, every name with its final dot. */
  readonly records: readonly string[]
  /** `expired`: signatures that held until last week. Default `valid`; `none`: unsigned, and nothing is validated. */
  readonly signatures?: 'valid' | 'expired' | 'none'
}

/** Starts one. */
export type StartUnbound = (options: UnboundOptions) => Promise<Unbound>

/** `null` where this machine has none, which is said; where `CI` is set that is an error. */
export function findUnbound(): StartUnbound | null {
  const files = [
    'unbound/usr/sbin/unbound',
    'ldnsutils/usr/bin/ldns-keygen',
    'ldnsutils/usr/bin/ldns-signzone',
  ]
  const [server, keygen, signzone] = files.map((file) => {
    const installed = `/${file.slice(file.indexOf('/') + 1)}`
    return [join(unpackedDir, file), installed].find(isExecutable)
  })
  if (server !== undefined && keygen !== undefined && signzone !== undefined)
    return (options) => start({ server, keygen, signzone }, options)
  sayMissing('Unbound', `it or ldnsutils found neither in ${unpackedDir} nor on the system`)
  return null
}

interface Programs {
  readonly server: string
  readonly keygen: string
  readonly signzone: string
}

async function start(programs: Programs, options: UnboundOptions): Promise<Unbound> {
  const home = await makeHome('unbound')
  const port = await freePort('127.0.0.1')
  const { zoneFile, trustAnchor } = await writeZone(home, programs, options)
  await writeFile(join(home, 'unbound.conf'), configuration({ home, port, zoneFile, trustAnchor }))
  const outputFile = join(home, 'output')
  const process = await ServerProcess.start({
    file: programs.server,
    args: ['-d', '-c', join(home, 'unbound.conf')],
    outputFile,
  })
  const server = `127.0.0.1:${port}`
  const resolver = createSystemResolver({ servers: [server], timeoutMs: 1_000 })
  // The name need not be there, and may fail to be validated: an answer is an answer.
  const isAnswering = () =>
    resolver.resolve4('a.').then(
      () => true as const,
      ({ reason }: { reason?: string }) => (reason === 'ECONNREFUSED' ? undefined : (true as const)),
    )
  await waitUntil(isAnswering, 20_000, () => `Unbound does not answer; see ${outputFile}`)
  return {
    server,
    async [Symbol.asyncDispose]() {
      await process.stop()
      await removeHome(home)
    },
  }
}

/** Zone and key; the key is what is believed. */
async function writeZone(home: string, { keygen, signzone }: Programs, options: UnboundOptions) {
  const { records, signatures = 'valid' } = options
  const zoneFile = join(home, 'root.zone')
  const soa = '. 3600 IN SOA ns.test. hostmaster.test. 1 3600 3600 3600 3600'
  const lines = [soa, '. 3600 IN NS ns.test.', 'ns.test. 3600 IN A 127.0.0.1', ...records]
  await writeFile(zoneFile, `${lines.join('\n')}\n`)
  if (signatures === 'none') return { zoneFile, trustAnchor: null }
  const { stdout } = await run(keygen, ['-k', '-a', 'ECDSAP256SHA256', '.'], { cwd: home })
  const key = stdout.trim()
  const day = 86_400_000
  // Unbound forgives a day (val-sig-skew-max).
  const until = new Date(Date.now() + (signatures === 'valid' ? day : -7 * day))
  const from = new Date(until.getTime() - 10 * day)
  const times = ['-i', stamp(from), '-e', stamp(until)]
  await run(signzone, [...times, '-f', `${zoneFile}.signed`, zoneFile, key], { cwd: home })
  return { zoneFile: `${zoneFile}.signed`, trustAnchor: join(home, `${key}.key`) }
}

/** `20261121070000`, as RFC 4034 §3.2 has it. */
function stamp(date: Date): string {
  return date.toISOString().replace(/\D/g, '').slice(0, 14)
}

interface Places {
  readonly home: string
  readonly port: number
  readonly zoneFile: string
  readonly trustAnchor: string | null
}

function configuration({ home, port, zoneFile, trustAnchor }: Places): string {
  return [
    'server:',
    `  directory: "${home}"`,
    '  chroot: ""',
    '  username: ""',
    `  pidfile: "${join(home, 'pid')}"`,
    '  use-syslog: no',
    '  do-daemonize: no',
    `  interface: 127.0.0.1@${port}`,
    // Whatever it might want to ask of others cannot leave this host.
    '  outgoing-interface: 127.0.0.1',
    '  do-ip6: no',
    '  num-threads: 1',
    // Unbound has these zones built in, and empty.
    ...['test.', 'example.', '127.in-addr.arpa.', 'localhost.'].map(
      (zone) => `  local-zone: "${zone}" nodefault`,
    ),
    ...(trustAnchor === null ? [] : [`  trust-anchor-file: "${trustAnchor}"`]),
    'remote-control:',
    '  control-enable: no',
    'auth-zone:',
    '  name: "."',
    `  zonefile: "${zoneFile}"`,
    '  for-downstream: no',
    '  for-upstream: yes',
    '  fallback-enabled: no',
    '',
  ].join('\n')
}
