/** Domains that differ in what becomes of STARTTLS (RFC 3207); all others show a certificate that the CA vouches for. */
import type { Script } from '../script.ts'
import { type DomainPlan, delivered, domain, only, ordinary } from './plan.ts'

const answersStartTls = (...lines: readonly string[]): Script => ({
  kind: 'scripted',
  steps: { starttls: { lines } },
})

export const tlsDomains = (): readonly DomainPlan[] => [
  domain({
    domain: 'good-certificate.test',
    description: 'its certificate is signed by the sandbox CA and names the exchanger',
    expected: delivered,
  }),
  domain({
    domain: 'self-signed.test',
    description: 'its certificate is self-signed',
    expected: delivered,
    hosts: only({ ...ordinary, certificate: 'self-signed' }),
  }),
  domain({
    domain: 'expired-certificate.test',
    description: 'its certificate expired yesterday',
    expected: delivered,
    hosts: only({ ...ordinary, certificate: 'expired' }),
  }),
  domain({
    domain: 'wrong-name.test',
    description: 'its certificate names another host',
    expected: delivered,
    hosts: only({ ...ordinary, certificate: 'wrong-name' }),
  }),
  domain({
    domain: 'old-tls.test',
    description: 'speaks TLS 1.0 and 1.1 only, so that every handshake fails; accepts in clear',
    expected: delivered,
    hosts: only({ ...ordinary, onlyOldTls: true }),
  }),
  domain({
    domain: 'no-tls.test',
    description: 'does not offer STARTTLS',
    expected: delivered,
    hosts: only({ ...ordinary, certificate: 'none' }),
  }),
  domain({
    domain: 'refuses-tls.test',
    description: 'offers STARTTLS and answers 454 4.7.0, accepts in clear',
    expected: delivered,
    hosts: only(answersStartTls('454 4.7.0 TLS not available due to temporary reason')),
  }),
  domain({
    domain: 'broken-handshake.test',
    description: 'answers STARTTLS with 220, then talks nonsense; accepts in clear on a new connection',
    expected: delivered,
    hosts: only({
      kind: 'scripted',
      steps: {
        starttls: { lines: ['220 2.0.0 Ready to start TLS', 'this is no ServerHello'], afterwards: 'close' },
      },
    }),
  }),
]
