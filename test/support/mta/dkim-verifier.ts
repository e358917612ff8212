/**
 * Programs that verify DKIM signatures as receivers do: OpenDKIM, a run for each message, and Rspamd, a server on
 * loopback. Both are told what DNS says, and ask nobody.
 */
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KeyRecord } from '../../../src/mail/dkim/record.ts'
import { freePort, makeHome, removeHome } from './home.ts'
import { isExecutable, sayMissing, unpackedDir } from './installation.ts'
import { ServerProcess } from './server-process.ts'
import { waitUntil } from './wait-until.ts'

const run = promisify(execFile)

/** A verifier that is ready; close it. */
export interface DkimVerifier extends AsyncDisposable {
  /** `pass example.org mx1`, one for each signature, sorted; what does not pass begins with another word. */
  verify(content: Uint8Array): Promise<readonly string[]>
}

/** Starts one; the records are all that it finds in DNS. */
export type StartVerifier = (records: readonly KeyRecord[]) => Promise<DkimVerifier>

/** By name, those that this machine has; what is missing is said, and where `CI` is set an error. */
export function findVerifiers(): ReadonlyMap<string, StartVerifier | null> {
  const opendkim = find('OpenDKIM', 'opendkim/usr/sbin/opendkim', '/usr/sbin/opendkim')
  const rspamd = find('Rspamd', 'rspamd/usr/bin/rspamd', '/usr/bin/rspamd')
  return new Map<string, StartVerifier | null>([
    ['OpenDKIM', opendkim === null ? null : (records) => startOpenDkim(opendkim, records)],
    ['Rspamd', rspamd === null ? null : (records) => startRspamd(rspamd, records)],
  ])
}

function find(name: string, unpacked: string, installed: string): string | null {
  const file = [join(unpackedDir, unpacked), installed].find(isExecutable) ?? null
  if (file === null) sayMissing(name, `found neither in ${unpackedDir} nor on the system`)
  return file
}

async function startOpenDkim(file: string, records: readonly KeyRecord[]): Promise<DkimVerifier> {
  const home = await makeHome('opendkim')
  const [configuration, keys, message] = ['conf', 'keys', 'message'].map((name) => join(home, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(keys, records.map(({ name, value }) => `${name} ${value}\n`).join(''))
  await writeFile(configuration, `Mode v\nSyslog no\nTestPublicKeys ${keys}\n`)
  return {
    async verify(content) {
      await writeFile(message, content)
      // Twice -v: the field it would add, which tells of each signature.
      const { stdout } = await run(file, ['-x', configuration, '-vv', '-t', message])
      const found = stdout.matchAll(/\bdkim=(\w+)[^;]*?header\.d=(\S+)[^;]*?header\.s=([^\s;]+)/g)
      return [...found].map(([, result, domain, selector]) => `${result} ${domain} ${selector}`).sort()
    },
    [Symbol.asyncDispose]: () => removeHome(home),
  }
}

async function startRspamd(file: string, records: readonly KeyRecord[]): Promise<DkimVerifier> {
  const home = await makeHome('rspamd')
  const root = file.replace(/\/usr\/bin\/rspamd$/, '')
  const port = await freePort('127.0.0.1')
  await mkdir(join(home, 'state'))
  await writeFile(join(home, 'domains'), 'org\ntest\nexample\n')
  await writeFile(join(home, 'conf'), rspamdConf(home, port, records))
  const outputFile = join(home, 'output')
  const share = join(root, 'usr/share/rspamd')
  const server = await ServerProcess.start({
    file,
    args: ['-f', '-i', '-c', join(home, 'conf')],
    env: {
      PATH: process.env.PATH,
      LD_LIBRARY_PATH: join(root, 'usr/lib/rspamd'),
      SHAREDIR: share,
      LUALIBDIR: join(share, 'lualib'),
      RULESDIR: join(share, 'rules'),
      PLUGINSDIR: join(share, 'plugins'),
    },
    outputFile,
  })
  const url = `http://127.0.0.1:${port}/`
  const isUp = () =>
    fetch(`${url}ping`).then(
      ({ ok }) => ok || undefined,
      () => server.ended,
    )
  try {
    await waitUntil(isUp, 60_000, () => 'Rspamd does not answer')
    if (server.ended !== undefined) throw new Error(`${server.ended}\n${await readFile(outputFile, 'utf8')}`)
  } catch (error) {
    await server.stop()
    await removeHome(home)
    throw error
  }
  return {
    verify: async (content) => {
      const reply = await fetch(`${url}checkv2`, { method: 'POST', body: Buffer.from(content) })
      const { symbols } = (await reply.json()) as RspamdReply
      return Object.entries(symbols)
        .flatMap(([name, { options = [] }]) => verdictsOf(name, options))
        .sort()
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      await removeHome(home)
    },
  }
}

interface RspamdReply {
  readonly symbols: Readonly<Record<string, { readonly options?: readonly string[] }>>
}

function verdictsOf(symbol: string, options: readonly string[]): readonly string[] {
  const [, verdict] = /^R_DKIM_(\w+)$/.exec(symbol) ?? []
  if (verdict === undefined) return []
  const word = verdict === 'ALLOW' ? 'pass' : verdict.toLowerCase()
  return options.map((option) => `${word} ${option.replace(':s=', ' ')}`)
}

function rspamdConf(home: string, port: number, records: readonly KeyRecord[]): string {
  const fakes = records.map(
    ({ name, value }) => `{ name = "${name}"; type = "txt"; replies = ["${value}"]; }`,
  )
  return `options {
  pidfile = "${home}/pid"; filters = "dkim"; tempdir = "${home}"; cores_dir = "${home}";
  hs_cache_dir = "${home}/state"; dynamic_conf = "${home}/state/dynamic"; history_file = "${home}/state/history";
  url_tld = "${home}/domains"; disable_hyperscan = true;
  dns { nameserver = ["127.0.0.1:1"]; timeout = 1s; fake_records = [${fakes.join(', ')}]; }
}
logging { type = "console"; level = "warning"; }
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
dkim { check_local = true; check_authed = true; }
`
}
