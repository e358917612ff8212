/** Cyrus SASL for Postfix: a database with one user, and what Postfix has to be told. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeHome, removeHome } from './home.ts'
import { isExecutable, unpackedDir } from './installation.ts'

/** A user database, and how Postfix finds it; close it. */
export interface CyrusSasl {
  readonly settings: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  /** For `PostfixOptions.sasl`: Debian's Postfix looks for it beside main.cf before anywhere else. */
  readonly sasl: string
  close(): Promise<void>
}

/** Whom the database knows, and what is offered. */
export interface SaslOptions {
  readonly user: string
  readonly password: string
  readonly realm: string
  readonly mechanisms: readonly string[]
}

const root = join(unpackedDir, 'cyrus-sasl')
const tool = join(root, 'usr/sbin/saslpasswd2')

/** Whether this machine has it. */
export const hasCyrusSasl: boolean = isExecutable(tool)

/** Makes the database. */
export async function makeCyrusSasl({ user, password, realm, mechanisms }: SaslOptions): Promise<CyrusSasl> {
  const home = await makeHome('sasl')
  const database = join(home, 'sasldb2')
  // saslpasswd2 looks for its own configuration nowhere but in the system's directory, where there is none.
  const env = { SASL_PATH: pluginDirectory() }
  await withInput(tool, ['-p', '-c', '-f', database, '-u', realm, user], { input: password, env })
  await run('chown', ['postfix', database])
  const lines = ['pwcheck_method: auxprop', 'auxprop_plugin: sasldb', `sasldb_path: ${database}`]
  return {
    settings: {
      smtpd_sasl_auth_enable: 'yes',
      smtpd_sasl_type: 'cyrus',
      smtpd_sasl_path: 'smtpd',
      smtpd_sasl_local_domain: realm,
      smtpd_sasl_security_options: 'noanonymous',
    },
    env,
    sasl: `${[...lines, `mech_list: ${mechanisms.join(' ')}`].join('\n')}\n`,
    close: () => removeHome(home),
  }
}

/** `usr/lib/x86_64-linux-gnu/sasl2`, whatever the machine. */
function pluginDirectory(): string {
  const lib = join(root, 'usr/lib')
  const [triplet = ''] = readdirSync(lib).filter((name) => name.includes('linux'))
  return join(lib, triplet, 'sasl2')
}

const run = promisify(execFile)

function withInput(
  file: string,
  args: readonly string[],
  { input, env }: { readonly input: string; readonly env: Readonly<Record<string, string>> },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { env: { PATH: process.env.PATH, ...env } }, (error, _, stderr) => {
      if (error === null) resolve()
      else reject(new Error(`${file}: ${stderr}`, { cause: error }))
    })
    child.stdin?.end(input)
  })
}
