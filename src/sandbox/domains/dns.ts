/** Domains that differ in what the DNS says about them (RFC 5321 §5.1, RFC 7505). */
import type { Script } from '../script.ts'
import {
  type CatalogueSettings,
  type DomainPlan,
  deferred,
  delivered,
  domain,
  failed,
  type HostPlan,
  inOrder,
  ordinary,
} from './plan.ts'

/** Then waits for QUIT and answers 503 to all else (RFC 5321 §3.1). */
const badSequence = { lines: ['503 5.5.1 Bad sequence of commands'] }
const refusesAtGreeting: Script = {
  kind: 'scripted',
  steps: {
    greeting: { lines: ['554 5.7.1 No service for you here'] },
    ehlo: badSequence,
    helo: badSequence,
    mail: badSequence,
  },
}

/** More records than fit in a UDP answer, and more exchangers than anybody should dial. */
const manyRefusing: readonly HostPlan[] = Array.from({ length: 40 }, (_, at) => ({
  label: `mx${at + 1}`,
  preference: at + 1,
  server: 'nobody',
}))

const exchangers = (): readonly DomainPlan[] => [
  domain({
    domain: 'second-exchanger.test',
    description: 'the first exchanger refuses connections, the second accepts',
    expected: delivered,
    hosts: inOrder('nobody', ordinary),
  }),
  domain({
    domain: 'greets-with-554.test',
    description: 'the first exchanger greets with 554, the second accepts',
    expected: delivered,
    hosts: inOrder(refusesAtGreeting, ordinary),
  }),
  domain({
    domain: 'equal-pair.test',
    description: 'two exchangers of equal preference, both accept',
    expected: delivered,
    hosts: [
      { label: 'mx1', preference: 10, server: ordinary },
      { label: 'mx2', preference: 10, server: ordinary },
    ],
  }),
  domain({
    domain: 'refuses-connections.test',
    description: 'its only exchanger refuses connections',
    expected: deferred('4.4.1'),
    hosts: inOrder('nobody'),
  }),
  domain({
    domain: 'many-exchangers.test',
    description: 'forty exchangers, all refuse connections; the answer comes over TCP only',
    expected: deferred('4.4.1'),
    hosts: manyRefusing,
  }),
  domain({
    domain: 'hosted.test',
    mailbox: 'user@customer1.hosted.test',
    description: 'any name below it is a domain of its own behind one exchanger',
    expected: delivered,
    records: { '*.hosted.test': { mx: [{ preference: 10, host: 'mx.hosted.test' }] } },
  }),
]

const records = (): readonly DomainPlan[] => [
  domain({
    domain: 'no-mx.test',
    description: 'has no MX record and is its own host (implicit MX)',
    expected: delivered,
    hosts: { host: ordinary },
  }),
  domain({
    domain: 'null-mx.test',
    description: 'accepts no mail and says so with a null MX; its address would take it',
    expected: failed('5.1.10'),
    hosts: { host: ordinary },
    records: { 'null-mx.test': { mx: [{ preference: 0, host: '' }] } },
  }),
  domain({
    domain: 'alias.test',
    description: 'is a CNAME of accepts.test',
    expected: delivered,
    hosts: [],
    records: { 'alias.test': { cname: 'accepts.test' } },
  }),
  domain({
    domain: 'no-such-domain.test',
    description: 'does not exist (NXDOMAIN)',
    expected: failed('5.1.2'),
    hosts: [],
  }),
  domain({
    domain: 'no-address.test',
    description: 'its exchanger has no address; the address of the domain itself is none of ours',
    expected: deferred('4.4.4'),
    hosts: { host: ordinary },
    records: {
      'no-address.test': { mx: [{ preference: 10, host: 'mx.no-address.test' }] },
      'mx.no-address.test': {},
    },
  }),
  domain({
    domain: 'loops.test',
    description: 'names sender.test, the sending host, as its exchanger',
    expected: failed('5.4.6'),
    hosts: [],
    records: { 'loops.test': { mx: [{ preference: 10, host: 'sender.test' }] } },
  }),
]

const failures = (): readonly DomainPlan[] => [
  domain({
    domain: 'dns-servfail.test',
    description: 'its name server fails (SERVFAIL)',
    expected: deferred('4.4.3'),
    hosts: [],
    records: { 'dns-servfail.test': { failure: 'servfail' } },
  }),
  domain({
    domain: 'address-servfail.test',
    description: 'has no MX record, and the lookup of its address fails (SERVFAIL)',
    expected: deferred('4.4.3'),
    hosts: [],
    records: { 'address-servfail.test': { failure: 'servfail', failingTypes: ['A', 'AAAA'] } },
  }),
  domain({
    domain: 'dns-silence.test',
    description: 'its name server never answers',
    expected: deferred('4.4.3'),
    waits: true,
    hosts: [],
    records: { 'dns-silence.test': { failure: 'silence' } },
  }),
]

const sixOnly = domain({
  domain: 'ipv6.test',
  description: 'its exchanger has an IPv6 address only',
  expected: delivered,
  hosts: [{ label: 'mx', preference: 10, server: ordinary, family: 6 }],
})

export const dnsDomains = ({ ipv6 }: CatalogueSettings): readonly DomainPlan[] => [
  ...exchangers(),
  ...records(),
  ...failures(),
  ...(ipv6 ? [sixOnly] : []),
]
