/**
 * Where a queue's contents should lie: in the rows' own transaction, in an append-only log, or in a file each. Every
 * way ends with content and row durable. Run: `npx node test/bench/queue/content-stores.ts [SECONDS]`.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const seconds = Number(process.argv[2] ?? 1)
const home = mkdtempSync(path.join(process.cwd(), '.bench-queue-'))

/** Stores `together` contents durably with their rows. */
type Store = (content: Buffer, together: number) => void

function database(dir: string) {
  const db = new DatabaseSync(path.join(dir, 'queue.db'))
  db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000;
    CREATE TABLE content (id INTEGER PRIMARY KEY, octets BLOB, place INTEGER);
    CREATE TABLE entry (id INTEGER PRIMARY KEY, state INTEGER, due INTEGER, detail TEXT)`)
  const content = db.prepare('INSERT INTO content (octets, place) VALUES (?, ?)')
  const entry = db.prepare('INSERT INTO entry (state, due, detail) VALUES (0, ?, ?)')
  const detail = JSON.stringify({
    recipient: 'bob@example.test',
    from: 'alice@sender.test',
    pad: 'x'.repeat(150),
  })
  return {
    transaction(work: () => void) {
      db.exec('BEGIN IMMEDIATE')
      work()
      db.exec('COMMIT')
    },
    row(octets: Buffer | null, place: number | null) {
      content.run(octets, place)
      entry.run(Date.now(), detail)
    },
  }
}

const ways: Record<string, (dir: string) => Store> = {
  blob(dir) {
    const db = database(dir)
    return (content, together) =>
      db.transaction(() => {
        for (let i = 0; i < together; i++) db.row(content, null)
      })
  },
  log(dir) {
    const db = database(dir)
    const log = openSync(path.join(dir, 'log'), 'a')
    let at = 0
    return (content, together) => {
      writeSync(log, together === 1 ? content : Buffer.concat(Array(together).fill(content)))
      fdatasyncSync(log)
      db.transaction(() => {
        for (let i = 0; i < together; i++) {
          db.row(null, at)
          at += content.length
        }
      })
    }
  },
  file(dir) {
    const db = database(dir)
    const parent = openSync(dir, 'r')
    let number = 0
    return (content, together) => {
      const first = number
      for (let i = 0; i < together; i++) {
        const file = openSync(path.join(dir, `${number++}.tmp`), 'w')
        writeFileSync(file, content)
        fsyncSync(file)
        closeSync(file)
      }
      for (let n = first; n < number; n++) renameSync(path.join(dir, `${n}.tmp`), path.join(dir, `${n}`))
      fsyncSync(parent)
      db.transaction(() => {
        for (let n = first; n < number; n++) db.row(null, n)
      })
    }
  },
}

try {
  console.log('octets  together  way    messages/s')
  for (const octets of [2_048, 10_240, 65_536, 262_144, 1_048_576]) {
    for (const together of [1, 10, 50]) {
      for (const [name, open] of Object.entries(ways)) {
        const dir = mkdtempSync(path.join(home, 'way-'))
        const store = open(dir)
        const content = Buffer.alloc(octets, 'Lorem ipsum dolor sit amet\r\n')
        const begun = performance.now()
        let messages = 0
        while (performance.now() - begun < seconds * 1000) {
          store(content, together)
          messages += together
        }
        const rate = Math.round((messages * 1000) / (performance.now() - begun))
        console.log(
          `${String(octets).padStart(7)} ${String(together).padStart(8)}  ${name.padEnd(6)} ${rate}`,
        )
        rmSync(dir, { recursive: true, force: true })
      }
    }
  }
} finally {
  rmSync(home, { recursive: true, force: true })
}
