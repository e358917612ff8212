/** `mxpress queue retry|hold|release|cancel`. One rule: whatever is named is looked for before anything is changed. */
import type { QueueStore, Selector, Steered } from '../../queue/store.ts'
import { NotQueuedError } from '../errors.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { formatJson, noteLine, printLine } from '../terminal.ts'
import { entriesText } from './text.ts'

/** One of the commands that change entries. */
export type SteeringAct = 'retry' | 'hold' | 'release' | 'cancel'

const done: Readonly<Record<SteeringAct, string>> = {
  retry: 'due now',
  hold: 'held',
  release: 'released',
  cancel: 'cancelled',
}

/** @throws {NotQueuedError} when an id names nothing; nothing has been changed then. */
export async function steer(
  store: QueueStore,
  { act, selectors, json }: { act: SteeringAct; selectors: readonly Selector[]; json: boolean },
): Promise<ExitCode> {
  await demandIds(store, selectors)
  let [changed, leased] = [0, 0]
  for (const selector of selectors) {
    const steered = await apply(store, act, selector)
    changed += steered.changed
    leased += steered.leased
  }
  if (json) printLine(formatJson({ changed, leased }))
  else printLine(`${entriesText(changed)} ${done[act]}`)
  if (leased === 0) return exitCodes.ok
  if (!json) noteLine(`${entriesText(leased)} left alone: being delivered just now`)
  // Being delivered is being retried; but what should have been stopped was not.
  return act === 'hold' || act === 'cancel' ? exitCodes.temporaryFailure : exitCodes.ok
}

function apply(store: QueueStore, act: SteeringAct, selector: Selector): Promise<Steered> {
  switch (act) {
    case 'retry':
      return store.retryNow(selector, Date.now())
    case 'hold':
      return store.hold(selector)
    case 'release':
      return store.release(selector, Date.now())
    case 'cancel':
      return store.cancel(selector)
    default:
      return act satisfies never
  }
}

async function demandIds(store: QueueStore, selectors: readonly Selector[]): Promise<void> {
  for (const selector of selectors) {
    if (selector.kind !== 'id') continue
    const { entries } = await store.list({ selector, limit: 1 })
    if (entries.length === 0) throw notQueued(selector.id)
  }
}

/** An id that names nothing. */
export function notQueued(id: string): NotQueuedError {
  return new NotQueuedError(
    `there is no entry ${id} in the queue: delivered, given back, cancelled or never there`,
  )
}
