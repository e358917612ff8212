/** A queue directory with mail in it, for commands that look at it. */
import path from 'node:path'
import { parseAddress, parseReversePath } from '../../src/mail/address.ts'
import { messageFromBytes } from '../../src/mail/message.ts'
import type { LastTrouble } from '../../src/queue/entry.ts'
import { openSqliteQueue, type SqliteQueue } from '../../src/queue/sqlite/store.ts'
import type { Submission } from '../../src/queue/store.ts'
import { emptyDirectory } from './run.ts'

/** A directory of its own, below one that `run` may have as its working directory. */
export async function newQueueDir(): Promise<string> {
  return path.join(await emptyDirectory(), 'queue')
}

/** What to queue; everything else is fixed. */
export interface Queued {
  readonly to: readonly string[]
  readonly from?: string
  readonly messageId?: string
}

/** Queues messages and closes the queue. */
export async function fillQueue(dir: string, mails: readonly Queued[]): Promise<void> {
  await withQueue(dir, async (queue) => {
    for (const mail of mails) await queue.add(submissionOf(mail))
  })
}

/** Opens the queue for as long as `work` takes. */
export async function withQueue<T>(dir: string, work: (queue: SqliteQueue) => Promise<T>): Promise<T> {
  await using queue = await openSqliteQueue(dir)
  return await work(queue)
}

/** A small message. */
export function submissionOf({
  to,
  from = 'alice@sender.test',
  messageId = '<1@sender.test>',
}: Queued): Submission {
  const text = `From: ${from}\r\nMessage-ID: ${messageId}\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\n\r\nhi\r\n`
  const createdAt = Date.now()
  return {
    message: messageFromBytes(Buffer.from(text)),
    reversePath: parseReversePath(from),
    recipients: to.map((address) => ({
      address: parseAddress(address),
      field: 'to',
      notify: null,
      orcpt: null,
    })),
    createdAt,
    expiresAt: createdAt + 5 * 86_400_000,
  }
}

/** What a server said; hostile unless told otherwise. */
export function trouble(diagnostic = '450 4.2.0 \u001b[31mgreylisted\u009b'): LastTrouble {
  return {
    at: Date.now(),
    stage: 'rcpt',
    status: '4.2.0',
    diagnostic,
    isReply: true,
    exchanger: 'mx.example.test',
    ip: '192.0.2.1',
  }
}

/** Leases all that is due and defers it, or leaves it dead, with the words of a server. */
export async function settleAll(dir: string, kind: 'deferred' | 'dead', last = trouble()): Promise<void> {
  await withQueue(dir, async (queue) => {
    const now = Date.now()
    const owner = 'test'
    const request = { owner, now, until: now + 60_000, max: 1_000, perSite: 1_000, room: new Map() }
    for (const { entry } of await queue.lease(request)) {
      const base = { id: entry.id, owner, last }
      const attempt = {
        startedAt: now,
        durationMs: 12,
        outcome: kind === 'dead' ? ('failed' as const) : ('deferred' as const),
        uncertain: false,
        stage: last.stage,
        status: last.status,
        diagnostic: last.diagnostic,
        reply: { code: 450, status: '4.2.0', lines: ['greylisted'] },
        targets: [
          {
            exchanger: 'mx.example.test',
            ip: '192.0.2.1',
            port: 25,
            stage: last.stage,
            status: last.status,
            diagnostic: last.diagnostic,
            startedAt: new Date(now).toISOString(),
            durationMs: 11,
            tls: null,
          },
        ],
      }
      await queue.settle(
        kind === 'dead'
          ? { ...base, kind: 'failed', keep: true, attempt }
          : {
              ...base,
              attempt,
              kind: 'deferred',
              dueAt: now + 3_600_000,
              uncertain: true,
              hold: false,
              sourceAddress: null,
              isDelayWarned: false,
            },
      )
    }
  })
}
