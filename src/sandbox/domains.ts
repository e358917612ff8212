/**
 * The catalogue of the simulated internet, put together from its parts. One rule: a domain is said once, here below
 * `domains/`; its DNS records, its servers and its line in the overview all follow from that.
 */
import { dnsDomains } from './domains/dns.ts'
import { mailboxDomains } from './domains/mailboxes.ts'
import type { CatalogueSettings, DomainPlan } from './domains/plan.ts'
import { senderDomains } from './domains/senders.ts'
import { sessionDomains } from './domains/sessions.ts'
import { tlsDomains } from './domains/tls.ts'

/** Every domain, most ordinary first. */
export const planDomains = (settings: CatalogueSettings): readonly DomainPlan[] => [
  ...mailboxDomains(settings),
  ...dnsDomains(settings),
  ...senderDomains(settings),
  ...tlsDomains(),
  ...sessionDomains(settings.maxConnections),
]
