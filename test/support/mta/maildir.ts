/** Reads a Maildir: one file per message, complete as soon as it is in `new`. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The messages delivered to a Maildir, oldest first; none where the server has not made it yet. */
export async function readMaildir(dir: string): Promise<readonly Buffer[]> {
  const names = await readdir(join(dir, 'new')).catch(noneYet)
  const files = await Promise.all(names.map((name) => file(join(dir, 'new', name))))
  return files
    .toSorted((one, other) => (one.writtenAt < other.writtenAt ? -1 : 1))
    .map(({ content }) => content)
}

async function file(path: string): Promise<{ writtenAt: bigint; content: Buffer }> {
  const { mtimeNs } = await stat(path, { bigint: true })
  return { writtenAt: mtimeNs, content: await readFile(path) }
}

function noneYet(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}
