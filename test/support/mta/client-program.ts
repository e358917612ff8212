/**
 * Where the programs are that people hand mail in with: unpacked by `.ci/system-packages`, else installed on the system.
 * The rule is that of installation.ts.
 */
import { delimiter, join } from 'node:path'
import { isExecutable, sayMissing, unpackedDir } from './installation.ts'

/** The file of each, and where it is below the directory of unpacked packages; `null`: never unpacked. */
const programs = {
  swaks: { file: 'swaks', unpacked: 'swaks/usr/bin' },
  'git send-email': { file: 'git-send-email', unpacked: 'git-email/usr/lib/git-core' },
  mailx: { file: 'bsd-mailx', unpacked: 'bsd-mailx/usr/bin' },
  mutt: { file: 'mutt', unpacked: 'mutt/usr/bin' },
  curl: { file: 'curl', unpacked: null },
  python3: { file: 'python3', unpacked: null },
} as const

/** A program that this machine may have. */
export type ClientName = keyof typeof programs

// git keeps its own commands out of PATH.
const systemDirs = [...(process.env.PATH ?? '').split(delimiter), '/usr/lib/git-core']

/**
 * The path of a program; `null` where there is none, which is said.
 * @throws {Error} where `CI` is set and there is none.
 */
export function findClient(name: ClientName): string | null {
  const { file, unpacked } = programs[name]
  const dirs = unpacked === null ? systemDirs : [join(unpackedDir, unpacked), ...systemDirs]
  const found = dirs.map((dir) => join(dir, file)).find(isExecutable) ?? null
  if (found === null) sayMissing(name, `found neither in ${unpackedDir} nor on the system`)
  return found
}
