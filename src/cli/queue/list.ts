/**
 * `mxpress queue list`: a page at a time, so that a queue of a million entries is printed and never held. One rule: it
 * stops when nobody reads any more (`| head`).
 */
import type { EntryState, QueueEntry } from '../../queue/entry.ts'
import type { QueueStore, Selector } from '../../queue/store.ts'
import { formatJson, paintFor, printText } from '../terminal.ts'
import { entryDocument } from './json.ts'
import { countsLine, entryLines } from './text.ts'

/** Entries asked for at once. */
const pageSize = 500

/** What to list. */
export interface Listing {
  readonly selector: Selector
  /** Absent: all. */
  readonly states?: readonly EntryState[]
}

/** For people: a table, and what the whole queue holds. */
export async function listForPeople(store: QueueStore, listing: Listing): Promise<void> {
  const paint = paintFor(process.stdout)
  let isFirst = true
  for await (const page of pages(store, listing)) {
    // Columns are as wide as the page asks for; the heading stands once.
    const lines = entryLines(page, Date.now(), paint).slice(isFirst ? 0 : 1)
    isFirst = false
    if (!(await printLines(lines))) return
  }
  if (!isFirst) await printLines([''])
  await printLines([countsLine(await store.counts())])
}

/** For programs: one document. */
export async function listAsJson(store: QueueStore, listing: Listing): Promise<void> {
  const opening = formatJson({ counts: await store.counts() }).replace(/\n\}$/, ',\n  "entries": [')
  let before = opening
  let isRead = true
  for await (const page of pages(store, listing)) {
    const texts = page.map((entry) => formatJson(entryDocument(entry)).replace(/^/gm, '    '))
    isRead = await printText(`${before}\n${texts.join(',\n')}`)
    if (!isRead) return
    before = ','
  }
  await printText(before === opening ? `${opening}]\n}\n` : '\n  ]\n}\n')
}

async function* pages(
  store: QueueStore,
  { selector, states }: Listing,
): AsyncGenerator<readonly QueueEntry[], void, undefined> {
  let after: string | null = null
  do {
    const page = await store.list({
      selector,
      limit: pageSize,
      ...(states === undefined ? {} : { states }),
      ...(after === null ? {} : { after }),
    })
    if (page.entries.length > 0) yield page.entries
    after = page.next
  } while (after !== null)
}

function printLines(lines: readonly string[]): Promise<boolean> {
  return printText(lines.map((line) => `${line}\n`).join(''))
}
