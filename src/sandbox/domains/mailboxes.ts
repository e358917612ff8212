/** Domains that differ in what their exchanger says to a recipient or a message, all of it in proper form. */
import type { Script } from '../script.ts'
import {
  type CatalogueSettings,
  type DomainPlan,
  deferred,
  delivered,
  domain,
  failed,
  only,
  ordinary,
} from './plan.ts'

/** Defers each pair of reverse-path and recipient until so long after it was first seen. */
const greylist = ({ greylistMs, clock }: CatalogueSettings): Script => {
  const firstSeen = new Map<string, number>()
  return {
    kind: 'scripted',
    steps: {
      rcpt: ({ reversePath, recipient }) => {
        const pair = `${reversePath} ${recipient}`
        const since = firstSeen.get(pair)
        if (since !== undefined && clock.monotonic() - since >= greylistMs) return undefined
        if (since === undefined) firstSeen.set(pair, clock.monotonic())
        return { lines: [`450 4.2.0 <${recipient}>: greylisted, try again in ${greylistMs / 1000} seconds`] }
      },
    },
  }
}

export const mailboxDomains = (settings: CatalogueSettings): readonly DomainPlan[] => [
  domain({ domain: 'accepts.test', description: 'accepts everything', expected: delivered }),
  domain({
    domain: 'sender.test',
    mailbox: 'alice@sender.test',
    description: 'accepts everything: where reports to the sender arrive',
    expected: delivered,
    records: { 'sender.test': { mx: [{ preference: 10, host: 'mx.sender.test' }], a: ['127.0.0.1'] } },
  }),
  domain({
    domain: 'greylists.test',
    description: `says 450 4.2.0 for ${settings.greylistMs / 1000} seconds, then accepts`,
    expected: deferred('4.2.0'),
    hosts: only(greylist(settings)),
  }),
  domain({
    domain: 'unknown-mailbox.test',
    description: 'knows no mailbox: 550 5.1.1',
    expected: failed('5.1.1'),
    hosts: only({ ...ordinary, recipientRefusal: { code: 550, text: 'No such mailbox here' } }),
  }),
  domain({
    domain: 'one-mailbox.test',
    description: 'knows user and postmaster, and no other mailbox: 550 5.1.1',
    expected: delivered,
    hosts: only({
      kind: 'scripted',
      steps: {
        rcpt: ({ recipient }) =>
          /^(?:user|postmaster)@/i.test(recipient)
            ? undefined
            : { lines: [`550 5.1.1 <${recipient}>: no such mailbox here`] },
      },
    }),
  }),
  domain({
    domain: 'blocks-senders.test',
    description: 'refuses every recipient because of who asks: 550 5.7.1',
    expected: failed('5.7.1'),
    hosts: only({
      kind: 'scripted',
      steps: {
        rcpt: { lines: ['550 5.7.1 Client host [127.0.0.1] blocked using list.dnsbl.test'] },
      },
    }),
  }),
  domain({
    domain: 'over-quota.test',
    description: 'has no room in any mailbox, and says so for good: 552 5.2.2',
    expected: failed('5.2.2'),
    hosts: only({ kind: 'scripted', steps: { rcpt: { lines: ['552 5.2.2 Mailbox is over quota'] } } }),
  }),
  domain({
    domain: 'mailbox-full.test',
    description: 'every mailbox is full: 452 4.2.2',
    expected: deferred('4.2.2'),
    hosts: only({ ...ordinary, recipientRefusal: { code: 452, text: 'Mailbox full' } }),
  }),
  domain({
    domain: 'rejects-content.test',
    description: 'takes the message and refuses its content: 554 5.7.1',
    expected: failed('5.7.1'),
    hosts: only({
      kind: 'scripted',
      steps: { 'end-of-data': { lines: ['554 5.7.1 Message content rejected'] } },
    }),
  }),
  domain({
    domain: 'small-size.test',
    description: 'announces SIZE 200, so that nearly every message is too large',
    expected: failed('5.3.4'),
    hosts: only({ ...ordinary, sizeLimitOctets: 200 }),
  }),
  domain({
    domain: 'forwards.test',
    description: 'answers RCPT with 251, will forward',
    expected: delivered,
    hosts: only({
      kind: 'scripted',
      steps: {
        rcpt: ({ recipient }) => ({
          accepts: true,
          lines: [`251 2.1.5 Not here, will forward <${recipient}>`],
        }),
      },
    }),
  }),
  domain({
    domain: 'slow.test',
    description: 'takes its time for the greeting and for the message',
    expected: delivered,
    hosts: only({ ...ordinary, slow: true }),
  }),
  domain({
    domain: 'no-8bitmime.test',
    description: 'does not offer 8BITMIME and refuses 8-bit content',
    expected: delivered,
    hosts: only({ ...ordinary, lacks: ['8BITMIME', 'SMTPUTF8'] }),
  }),
  domain({
    domain: 'no-smtputf8.test',
    description: 'does not offer SMTPUTF8: nothing with UTF-8 in address or header gets in (5.6.7)',
    expected: delivered,
    hosts: only({ ...ordinary, lacks: ['SMTPUTF8'] }),
  }),
]
