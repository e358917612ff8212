/**
 * How `mxpress sendmail` gets a mail onto the disk: into the queue itself; or, for a user who may not write there, through
 * the submission listener of this host, whose 250 means the same.
 *
 * One rule: the second way is for a queue that cannot be written, never for one that is full, in use or damaged: then the
 * daemon's is no better.
 */
import { access, constants } from 'node:fs/promises'
import path from 'node:path'
import type { Settings } from '../../config/settings.ts'
import type { Signer } from '../../mail/signer.ts'
import { QueueUnwritableError } from '../../queue/errors.ts'
import { openSqliteQueue, type SqliteQueue } from '../../queue/sqlite/store.ts'
import type { Accept } from '../../submission/acceptance.ts'
import { acceptInto } from '../../submission/enqueue.ts'
import { HandOverError, handOverTo } from '../../submission/handover.ts'
import { systemClock } from '../../time/clock.ts'
import { NoWayInError } from '../errors.ts'

/** Takes mail. Close it. */
export interface WayIn extends AsyncDisposable {
  readonly accept: Accept
}

/** What decides on the way. */
export interface WayInOptions {
  readonly hostname: string
  /** The queue was named on the command line: it is this one or none. */
  readonly isQueueNamed: boolean
  /** Asked when the mail goes into the queue; the daemon signs what it is handed. */
  readonly openSigner: () => Promise<Signer | null>
}

/** What it gives back throws {NoWayInError} {HandOverError} {QueueError}, as this does, and what `openSigner` throws. */
export async function openWayIn(settings: Settings, options: WayInOptions): Promise<WayIn> {
  let store: SqliteQueue
  try {
    store = await openSqliteQueue(settings.queue.dir)
  } catch (error) {
    if (options.isQueueNamed || !(error instanceof QueueUnwritableError)) throw error
    return { accept: acceptThroughListener(error, settings, options), [Symbol.asyncDispose]: async () => {} }
  }
  try {
    const { expireMs, delayWarningMs } = settings.queue
    const signer = await options.openSigner()
    return {
      accept: acceptInto(store, { expireMs, delayWarningMs, clock: systemClock, signer }),
      [Symbol.asyncDispose]: () => store.close(),
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

function acceptThroughListener(
  unwritable: QueueUnwritableError,
  { submission, timeouts, queue }: Settings,
  { hostname }: WayInOptions,
): Accept {
  const accept = handOverTo({ listen: submission.listen, hostname, timeouts })
  return async (mail) => {
    try {
      return await accept(mail)
    } catch (error) {
      if (!(error instanceof HandOverError) || error.isFinal) throw error
      throw new NoWayInError(
        `${unwritable.message}; and the submission listener: ${error.message}. ` +
          'Start `mxpress serve`, or let this user write to the queue directory',
        { isForbidden: await isForbidden(queue.dir), cause: error },
      )
    }
  }
}

/** Whether it is only this user who may not write there: what is, or the nearest directory that is. */
async function isForbidden(dir: string): Promise<boolean> {
  for (let place = path.resolve(dir, 'queue.db'); ; place = path.dirname(place)) {
    try {
      await access(place, constants.W_OK)
      return false
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' || place === path.dirname(place)) return code === 'EACCES' || code === 'EPERM'
    }
  }
}
