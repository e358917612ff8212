/**
 * The tables, as numbered migrations: the database's `user_version` says how many of them it has seen.
 * One rule: a migration that has been released is never changed; a new one is put behind it.
 *
 * Every question the runner asks is answered by an index, whatever waits in the queue:
 * - `lane` holds one row for each site (or each domain not looked up yet). `head_due` is no later than the due time of
 *   its first ready entry, so that the due lanes are found without looking at entries, and a lane that is full or in
 *   trouble is passed over in one step.
 * - an entry's id is its submission's times 2^20 plus its number, so that a submission's entries stand side by side.
 */
import type { DatabaseSync } from 'node:sqlite'
import { QueueDamagedError } from '../errors.ts'

const migrations: readonly string[] = [
  `
  CREATE TABLE submission (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    size INTEGER NOT NULL,
    requires TEXT NOT NULL,
    reverse_path TEXT,
    envid TEXT,
    ret TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX submission_sender ON submission (reverse_path);

  -- Apart from the submission, so that looking through submissions does not read contents.
  CREATE TABLE content (
    submission INTEGER PRIMARY KEY,
    octets BLOB,
    file TEXT
  ) STRICT;
  CREATE INDEX content_file ON content (file) WHERE file IS NOT NULL;

  CREATE TABLE lane (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    head_due INTEGER,
    not_before INTEGER,
    trouble TEXT,
    due_at INTEGER AS (CASE WHEN head_due IS NULL THEN NULL ELSE max(head_due, ifnull(not_before, 0)) END)
  ) STRICT;
  CREATE INDEX lane_due ON lane (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX lane_idle ON lane (id) WHERE head_due IS NULL;

  CREATE TABLE domain (
    name TEXT PRIMARY KEY,
    lane INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX domain_lane ON domain (lane);

  -- state: 0 ready, 1 leased, 2 held, 3 dead
  CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    warn_at INTEGER,
    owner TEXT,
    lease_until INTEGER,
    domain TEXT NOT NULL,
    local_part TEXT NOT NULL,
    field TEXT NOT NULL,
    notify TEXT,
    orcpt TEXT,
    uncertain INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    last TEXT,
    source_address TEXT,
    notice_at INTEGER AS (min(expires_at, ifnull(warn_at, expires_at)))
  ) STRICT;
  CREATE INDEX entry_due ON entry (lane, due_at) WHERE state = 0;
  CREATE INDEX entry_notice ON entry (notice_at) WHERE state = 0;
  CREATE INDEX entry_leased ON entry (lease_until) WHERE state = 1;
  CREATE INDEX entry_held ON entry (lane) WHERE state = 2;
  CREATE INDEX entry_dead ON entry (lane) WHERE state = 3;
  CREATE INDEX entry_domain ON entry (domain);
  CREATE INDEX entry_local_part ON entry (local_part);

  CREATE TABLE attempt (
    entry INTEGER NOT NULL,
    number INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (entry, number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE idempotency (
    key TEXT PRIMARY KEY,
    submission INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_age ON idempotency (created_at);
  `,
]

/**
 * Brings the tables up to date, in one transaction.
 * @throws {QueueDamagedError} when a later version of the program has been here
 */
export function migrate(db: DatabaseSync, dir: string): void {
  if (versionOf(db) === migrations.length) return
  db.exec('BEGIN IMMEDIATE')
  try {
    // Read again: another process may have been quicker.
    const version = versionOf(db)
    if (version > migrations.length) {
      throw new QueueDamagedError(
        dir,
        `The queue in ${dir} was written by a later version of mxpress (layout ${version}, this one knows ${migrations.length})`,
      )
    }
    for (const migration of migrations.slice(version)) db.exec(migration)
    db.exec(`PRAGMA user_version = ${migrations.length}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version)
}
