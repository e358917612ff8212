/**
 * Where the real mail servers are: unpacked by `.ci/system-packages` into MTA_DIR, else installed on the
 * system. One rule: what is missing is said; under CI it is an error, elsewhere the reason for a skipped suite.
 */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

/** Holds a directory for each unpacked package. */
export const unpackedDir: string = process.env.MTA_DIR ?? '/var/cache/mxpress-mta'

/** A file of each server, relative to the root of the file system it was unpacked or installed in. */
const binaries = {
  postfix: 'usr/lib/postfix/sbin/master',
  exim: 'usr/sbin/exim4',
  opensmtpd: 'usr/sbin/smtpd',
} as const

/** A server that this machine may have. */
export type MtaName = keyof typeof binaries

/** `root` is what precedes `usr/…` in every path of the server. */
export type Installation =
  | { readonly kind: 'found'; readonly root: string }
  | { readonly kind: 'missing'; readonly reason: string }

/**
 * Finds a server.
 * @throws {Error} where `CI` is set and the server cannot be used: a proof must not go missing silently.
 */
export function findInstallation(name: MtaName): Installation {
  const installation = look(name)
  if (installation.kind === 'missing') sayMissing(name, installation.reason)
  return installation
}

/**
 * Says, once, what is skipped for lack of a program.
 * @throws {Error} where `CI` is set.
 */
export function sayMissing(name: string, reason: string): void {
  if (process.env.CI) throw new Error(`${name}: ${reason}`)
  announce(`skipped: interop with ${name}: ${reason}\n`)
}

const announced = new Set<string>()

function announce(line: string): void {
  if (announced.has(line)) return
  announced.add(line)
  process.stderr.write(line)
}

function look(name: MtaName): Installation {
  // Each of the three changes its user for every delivery.
  if (process.getuid?.() !== 0) return { kind: 'missing', reason: 'needs root' }
  const root = [join(unpackedDir, name), '/'].find((place) => isExecutable(join(place, binaries[name])))
  if (root === undefined) {
    const where = `${unpackedDir} nor on the system; .ci/system-packages puts it there`
    return { kind: 'missing', reason: `found neither in ${where}` }
  }
  return { kind: 'found', root }
}

/** Whether we may run this file. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
