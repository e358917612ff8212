/** One queue directory through many lives of its daemon, and what is in it after each death. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Begun } from '../../src/queue/sqlite/begun.ts'
import { openSqliteQueue, type SqliteQueue } from '../../src/queue/sqlite/store.ts'
import { emptyDirectory, type Running, start } from '../cli/run.ts'

/** The queue after a daemon has died. */
export interface Remains {
  /** Recipients that still have an entry. */
  readonly queued: ReadonlySet<string>
  /** Of these, those that the daemon had in hand. */
  readonly leased: ReadonlySet<string>
  /** Of these, those whose content was being sent, or about to be, and the life that did so. */
  readonly begun: ReadonlyMap<string, string>
  readonly uncertain: ReadonlySet<string>
}

/** Sessions at once to each of the servers. */
export const sessionsPerSite = 4

/**
 * A working directory with a configuration for short lives. `perTransaction`: the servers are relays, by which so many
 * recipients of a message share a transaction.
 */
export async function newHome(
  routes: Readonly<Record<string, string>>,
  perTransaction: number | null = null,
): Promise<string> {
  const placeOf = (target: string): string => {
    if (perTransaction === null) return `"${target}"`
    const [host, port] = target.split(':')
    return `{ host = "${host}", port = ${port}, tls = "off", recipientsPerTransaction = ${perTransaction} }`
  }
  const home = await emptyDirectory()
  const lines = [
    'hostname = "sender.test"',
    '[queue]',
    'retryFirst = "50ms"',
    'retryMax = "200ms"',
    '[delivery]',
    `perSite = ${sessionsPerSite}`,
    '[submission]',
    'listen = ["127.0.0.1:0"]',
    '[routes]',
    ...Object.entries(routes).map(([domain, target]) => `"${domain}" = ${placeOf(target)}`),
  ]
  await writeFile(path.join(home, 'mxpress.toml'), `${lines.join('\n')}\n`)
  return home
}

/** Begins a life. */
export function bear(home: string): Promise<Running> {
  return start(['serve'], { cwd: home })
}

/** The port of a life that has come so far. */
export async function portOf(daemon: Running): Promise<number> {
  const ready = await Promise.race([
    daemon.printed(/\n/),
    daemon.finished().then(({ stdout, stderr }) => `${stdout}${stderr}`),
  ])
  const [, port] = /^ready: submission \S+:(\d+)\n/.exec(ready) ?? []
  if (port === undefined) throw new Error(`The daemon did not come up: ${ready}`)
  return Number(port)
}

/** Opens the queue beside the daemon. */
export async function withQueueOf<T>(home: string, work: (queue: SqliteQueue) => Promise<T>): Promise<T> {
  await using queue = await openSqliteQueue(path.join(home, 'queue'))
  return await work(queue)
}

/** Looks at everything that is queued. */
export function remainsOf(home: string): Promise<Remains> {
  return withQueueOf(home, async (queue) => {
    const [queued, leased, uncertain] = [new Set<string>(), new Set<string>(), new Set<string>()]
    const begun = new Map<string, string>()
    const begunByOwner = new Begun(path.join(home, 'queue')).read()
    let after: string | null = null
    do {
      const page = await queue.list({
        selector: { kind: 'all' },
        limit: 1_000,
        ...(after === null ? {} : { after }),
      })
      for (const { id, recipient, lease, uncertain: isUncertain } of page.entries) {
        const address = `${recipient.address.localPart}@${recipient.address.domain}`
        queued.add(address)
        if (lease !== null) leased.add(address)
        if (lease !== null && begunByOwner.get(lease.owner)?.has(id)) begun.set(address, lease.owner)
        if (isUncertain) uncertain.add(address)
      }
      after = page.next
    } while (after !== null)
    return { queued, leased, begun, uncertain }
  })
}
