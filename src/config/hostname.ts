/**
 * The name of this host, for EHLO when none is configured.
 * One rule: a name that means nothing to others is refused instead of given. Receivers refuse such a greeting, and
 * block lists take the address that says `localhost` for a compromised machine's.
 */
import { execFile } from 'node:child_process'
import os from 'node:os'
import { promisify } from 'node:util'
import { ConfigError } from './errors.ts'
import { isFqdn } from './host.ts'

/** Where the name comes from; for tests. */
export interface HostnameSources {
  /** Default: `os.hostname`. */
  readonly own?: () => string
  /** The system's own lookup: files, DNS, whatever it is set up to ask. Default: `hostname -f`. */
  readonly lookUp?: () => Promise<string>
}

/** A resolver that does not answer shall not hold up a program that only wants to say its name. */
const lookupTimeoutMs = 2_000

/**
 * The system's fully qualified domain name.
 * @throws {ConfigError} The system has none, or only a local one; says to set `hostname`.
 */
export async function systemHostname(sources: HostnameSources = {}): Promise<string> {
  const { own = os.hostname, lookUp = askSystem } = sources
  const name = plain(own())
  if (isPublic(name)) return name
  const found = plain(await lookUp().catch(() => ''))
  if (isPublic(found)) return found
  throw new ConfigError(
    `The system's host name ${JSON.stringify(found || name)} is not a fully qualified domain name. ` +
      'Set `hostname` (in mxpress.toml, MXPRESS_HOSTNAME or --hostname) to the name that this host has in DNS.',
  )
}

async function askSystem(): Promise<string> {
  const { stdout } = await promisify(execFile)('hostname', ['-f'], { timeout: lookupTimeoutMs })
  return stdout
}

const plain = (name: string) => name.trim().replace(/\.$/, '').toLowerCase()

// RFC 6762 §3: names under `.local` mean something on one link only.
const isPublic = (name: string) => isFqdn(name) && !name.endsWith('.local')
