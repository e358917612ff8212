/**
 * The users file: `NAME:HASH`, one user a line, `#` at the start of a line makes it a comment.
 * One rule: a file that others could read or change is not used.
 */
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { ConfigError } from '../config/errors.ts'
import { isPasswordHash } from './password.ts'

/** Names to password hashes, in the order of the file. */
export type Users = ReadonlyMap<string, string>

/** Anybody's bits but the owner's, and reading for the group: a daemon's group may share the file with root. */
const forbiddenMode = 0o037
const ownerOnly = 0o600
/** A thousand users take 100 KB. */
const longestFile = 16 * 1024 * 1024

// No colon, which ends the name, and nothing that cannot be seen or could move a terminal's cursor (RFC 8265 §3.4).
const nameForm = /^[^\p{C}\p{Z}:#][^\p{C}\p{Z}:]{0,254}$/u

/** Whether a user may be called so. */
export function isUserName(name: string): boolean {
  return nameForm.test(name)
}

/** Two ways of typing the same characters are the same name (RFC 8265 §3.4.2); case is not folded. */
export function userKey(name: string): string {
  return name.normalize('NFC')
}

/**
 * Reads the file.
 * @throws {ConfigError} when it cannot be read, is open to others, or a line is not `NAME:HASH`
 */
export async function readUsers(file: string): Promise<Users> {
  const text = await readPrivately(file)
  const users = new Map<string, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, name = '', hash = ''] = /^([^:]*):(.*)$/.exec(line) ?? []
    const where = `${file}:${index + 1}`
    // The line itself is not shown: somebody may have written a password into it.
    if (!isUserName(name) || !isPasswordHash(hash)) {
      throw new ConfigError(`${where}: expected NAME:$scrypt$…, as \`mxpress user add\` writes it`)
    }
    if (users.has(userKey(name))) throw new ConfigError(`${where}: the user ${name} is there twice`)
    users.set(userKey(name), hash)
  }
  return users
}

async function readPrivately(file: string): Promise<string> {
  try {
    await using handle = await open(file, 'r')
    const { mode, size } = await handle.stat()
    if ((mode & forbiddenMode) !== 0) {
      const found = (mode & 0o777).toString(8).padStart(3, '0')
      throw new ConfigError(`The users file ${file} is open to others (mode ${found}): chmod 600 it, or 640`)
    }
    if (size > longestFile) throw new ConfigError(`The users file ${file} is larger than 16 MiB`)
    return await handle.readFile('utf8')
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    throw new ConfigError(`Cannot read the users file ${file}: ${code ?? message}`, { cause: error })
  }
}

/**
 * Adds a user, or gives an existing one another password; makes the file if there is none. Comments stay.
 * @returns whether the user is new
 * @throws {ConfigError}
 */
export function putUser(file: string, name: string, hash: string): Promise<boolean> {
  const entry = `${userKey(name)}:${hash}`
  return change(file, { mayBeMissing: true }, (lines) => {
    const at = lines.findIndex((line) => isLineOf(line, name))
    return { result: at < 0, lines: at < 0 ? [...lines, entry] : lines.with(at, entry) }
  })
}

/** Takes a user out. @returns whether there was one @throws {ConfigError} */
export function removeUser(file: string, name: string): Promise<boolean> {
  return change(file, { mayBeMissing: false }, (lines) => {
    const kept = lines.filter((line) => !isLineOf(line, name))
    return { result: kept.length < lines.length, lines: kept }
  })
}

function isLineOf(line: string, name: string): boolean {
  return !line.startsWith('#') && userKey(line.split(':', 1)[0] ?? '') === userKey(name)
}

async function linesOf(
  file: string,
  { mayBeMissing }: { readonly mayBeMissing: boolean },
): Promise<string[]> {
  try {
    const text = await readPrivately(file)
    return text.split(/\r?\n/).filter((line, index, all) => line !== '' || index < all.length - 1)
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined
    if (mayBeMissing && cause?.code === 'ENOENT') return []
    throw error
  }
}

/**
 * Whoever reads meanwhile finds the old file or the new one. The name `FILE.new` keeps two writers apart, from before the
 * first reads until the file is replaced: what one has added is not lost by the other.
 */
async function change<T>(
  named: string,
  { mayBeMissing }: { readonly mayBeMissing: boolean },
  edit: (lines: readonly string[]) => { readonly result: T; readonly lines: readonly string[] },
): Promise<T> {
  // Where a link leads, or the link would be replaced and the file stay as it is.
  const file = await realpath(named).catch(() => named)
  const draft = `${file}.new`
  const handle = await open(draft, 'wx', ownerOnly).catch((error: NodeJS.ErrnoException) => {
    throw cannotWrite(file, error)
  })
  try {
    let result: T
    {
      await using closing = handle
      const edited = edit(await linesOf(file, { mayBeMissing }))
      result = edited.result
      await keepOwner(closing, file)
      await closing.writeFile(edited.lines.map((line) => `${line}\n`).join(''))
      await closing.sync()
    }
    await rename(draft, file)
    return result
  } catch (error) {
    await rm(draft, { force: true })
    throw error instanceof ConfigError ? error : cannotWrite(file, error as NodeJS.ErrnoException)
  }
}

function cannotWrite(file: string, cause: NodeJS.ErrnoException): ConfigError {
  const { code, message } = cause
  const reason =
    code === 'EEXIST'
      ? `Another program is writing the users file, or was stopped doing so: ${file}.new exists`
      : `Cannot write the users file ${file}: ${code ?? message}`
  return new ConfigError(reason, { cause })
}

/** A file that a daemon's group may read has to stay so. */
async function keepOwner(draft: FileHandle, file: string): Promise<void> {
  const old = await stat(file).catch(() => null)
  if (old === null) return
  const { uid, gid } = await draft.stat()
  if (old.uid !== uid || old.gid !== gid) await draft.chown(old.uid, old.gid)
  await draft.chmod(old.mode & 0o777)
}
