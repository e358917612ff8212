/**
 * Two domains to send from, for `mxpress doctor`: one whose host at 127.0.0.1 is fit to send, and one whose host at
 * 127.0.0.66 lacks whatever can be lacking; and two block lists, one that answers and one that refuses to.
 */
import { reversedLabels, reverseName } from '../../dns/reverse-name.ts'
import type { ZoneEntry } from '../zone.ts'
import { type CatalogueSettings, type DomainPlan, delivered, domain, failed } from './plan.ts'

type Records = Readonly<Record<string, ZoneEntry>>

const fitAddresses = (ipv6: boolean): readonly string[] => (ipv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'])

const fitRecords = (addresses: readonly string[]): Records => ({
  'fit-sender.test': {
    txt: [`v=spf1 ${addresses.map((ip) => `ip${ip.includes(':') ? 6 : 4}:${ip}`).join(' ')} -all`],
  },
  '_dmarc.fit-sender.test': { txt: ['v=DMARC1; p=reject; rua=mailto:postmaster@fit-sender.test'] },
  'mail.fit-sender.test': {
    a: addresses.filter((ip) => !ip.includes(':')),
    aaaa: addresses.filter((ip) => ip.includes(':')),
    txt: ['v=spf1 a -all'],
  },
  ...Object.fromEntries(addresses.map((ip) => [reverseName(ip), { ptr: ['mail.fit-sender.test'] }])),
})

const unfitAddress = '127.0.0.66'
const poolName = 'dyn-127-0-0-66.pool.unfit-sender.test'

const unfitRecords: Records = {
  'unfit-sender.test': {
    mx: [{ preference: 0, host: '' }],
    txt: ['v=spf1 mx -all', 'v=spf1 ip4:127.0.0.99 +all'],
  },
  '_dmarc.unfit-sender.test': { txt: ['v=DMARC1; p=perhaps'] },
  'mail.unfit-sender.test': { a: ['127.0.0.99'], txt: ['v=spf1 -all'] },
  [poolName]: { a: ['127.0.0.99'] },
  [reverseName(unfitAddress)]: { ptr: [poolName] },
}

/** RFC 5782 §5: 127.0.0.2 is on every list. */
const testPoint = '127.0.0.2'

const listing = (ip: string): Records => ({
  [`${reversedLabels(ip)}.blocklist.test`]: {
    a: ['127.0.0.2'],
    txt: [`Listed, see http://www.blocklist.test/${ip}`],
  },
})

/** What Spamhaus says to the queries of a public resolver. */
const refusal = (ip: string): Records => ({
  [`${reversedLabels(ip)}.refusing-blocklist.test`]: {
    a: ['127.255.255.254'],
    txt: ['Error: open resolver; http://www.refusing-blocklist.test/returnc/pub/'],
  },
})

const listRecords = (addresses: readonly string[]): Records => ({
  ...listing(testPoint),
  ...listing(unfitAddress),
  ...Object.assign({}, ...[testPoint, unfitAddress, ...addresses].map(refusal)),
  'test.domain-blocklist.test': { a: ['127.0.0.2'] },
  'unfit-sender.test.domain-blocklist.test': { a: ['127.0.0.2'], txt: ['Listed'] },
})

export const senderDomains = ({ ipv6 }: CatalogueSettings): readonly DomainPlan[] => [
  domain({
    domain: 'fit-sender.test',
    description: 'its host mail.fit-sender.test, 127.0.0.1, is fit to send (mxpress doctor)',
    expected: delivered,
    records: { ...fitRecords(fitAddresses(ipv6)), ...listRecords(fitAddresses(ipv6)) },
  }),
  domain({
    domain: 'unfit-sender.test',
    description: 'its host mail.unfit-sender.test, 127.0.0.66, is unfit to send in every way',
    expected: failed('5.1.10'),
    hosts: [],
    records: unfitRecords,
  }),
]
