/** Which entries a `queue` command means: ids, or options. One rule: nothing is selected by leaving everything out. */
import { type Command, InvalidArgumentError } from 'commander'
import { AddressError, parseAddress, parseReversePath } from '../../mail/address.ts'
import { normaliseDomain } from '../../mail/address-domain.ts'
import type { Selector } from '../../queue/store.ts'
import { UsageError } from '../errors.ts'
import { repeatable } from '../option-values.ts'

/** The options as commander hands them over. */
export interface SelectorOptions {
  readonly domain?: readonly Selector[]
  readonly from?: readonly Selector[]
  readonly to?: readonly Selector[]
  readonly all?: true
}

/** Adds the options that select. */
export function addSelectorOptions(command: Command): Command {
  return command
    .option('--domain <domain>', 'mail to a domain (repeatable)', repeatable(domainSelector))
    .option(
      '--from <address>',
      "mail with this reverse-path; '<>': reports (repeatable)",
      repeatable(fromSelector),
    )
    .option('--to <address>', 'mail to one mailbox (repeatable)', repeatable(toSelector))
    .option('--all', 'everything')
}

/** What the arguments and options select, each its own; empty when nothing was said. */
export function readSelectors(ids: readonly string[], options: SelectorOptions): readonly Selector[] {
  const { domain = [], from = [], to = [], all } = options
  const some = [...ids.map((id): Selector => ({ kind: 'id', id })), ...domain, ...from, ...to]
  if (all && some.length > 0) throw new UsageError('--all leaves nothing else to select')
  return all ? [{ kind: 'all' }] : some
}

function domainSelector(text: string): Selector {
  return read(() => ({ kind: 'domain', domain: normaliseDomain(text, text) }))
}

function fromSelector(text: string): Selector {
  return read(() => ({ kind: 'from', reversePath: parseReversePath(text) }))
}

function toSelector(text: string): Selector {
  return read(() => ({ kind: 'to', address: parseAddress(text) }))
}

function read(parse: () => Selector): Selector {
  try {
    return parse()
  } catch (error) {
    if (error instanceof AddressError) throw new InvalidArgumentError(error.message)
    throw error
  }
}
