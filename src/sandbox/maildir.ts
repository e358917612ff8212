/**
 * Keeps one message as a file of a Maildir: written under `tmp`, then renamed into `new`, so that a reader never sees
 * half a message (https://cr.yp.to/proto/maildir.html). One rule: no name from the network leaves the directory.
 */
import { createHash } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** A message to keep. */
export interface MailToKeep {
  readonly domain: string
  readonly localPart: string
  /** Header lines that stand before the message, each with its line end. */
  readonly prefix: string
  readonly content: Uint8Array
}

// Letters and digits of any script and what is common in addresses; the rest is written as %XX.
const plain = /[\p{L}\p{N}._+=@-]/u

/** Leaves room for a file system's usual 255 octets. */
const longestNameOctets = 200

const escapeOctets = (text: string): string =>
  [...Buffer.from(text)].map((octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('')

const shorten = (name: string): string => {
  if (Buffer.byteLength(name) <= longestNameOctets) return name
  const mark = createHash('sha256').update(name).digest('hex').slice(0, 16)
  return `${[...name].slice(0, 40).join('')}%${mark}`
}

/**
 * A folder name that stands for `text`: no separator, no NUL, no leading dot, never empty, different for different
 * texts.
 */
export const folderName = (text: string): string => {
  const name = [...text]
    .map((character, at) =>
      plain.test(character) && !(at === 0 && character === '.') ? character : escapeOctets(character),
    )
    .join('')
  return name === '' ? '%' : shorten(name)
}

// The host's name may hold neither '/' nor ':' here; the Maildir specification writes them as octal escapes.
const host = hostname().replaceAll('/', '\\057').replaceAll(':', '\\072')
let deliveries = 0

/** Time, process and a counter: unique on this host, and sorted by arrival within a second. */
const uniqueName = (): string => {
  deliveries += 1
  const now = Date.now()
  return `${Math.floor(now / 1000)}.M${(now % 1000) * 1000}P${process.pid}Q${deliveries}.${host}`
}

/**
 * Writes the message below `mailDir/<domain>/<local part>/new` and gives the file's path.
 * @throws {Error} of the file system, with its code.
 */
export const keepMail = async (mailDir: string, mail: MailToKeep): Promise<string> => {
  const mailbox = join(mailDir, folderName(mail.domain.toLowerCase()), folderName(mail.localPart))
  await Promise.all(['tmp', 'new', 'cur'].map((name) => mkdir(join(mailbox, name), { recursive: true })))
  const name = uniqueName()
  const written = join(mailbox, 'tmp', name)
  const file = join(mailbox, 'new', name)
  await writeFile(written, Buffer.concat([Buffer.from(mail.prefix), mail.content]), { flag: 'wx' })
  await rename(written, file)
  return file
}
