/** mxpress as the tests use it: one agent for one mail, routed to the server under test. */
import { createAgent, type SendReport } from '../../src/agent.ts'
import type { TlsMode } from '../../src/tls/policy.ts'
import type { Mta } from '../support/mta/mta.ts'

/** A mail to local parts of the server's domain. */
export interface InteropMail {
  readonly to: readonly string[]
  readonly octets: Buffer
  /** Default `alice@sender.test`. */
  readonly envelopeFrom?: string
  /** PEM file of certificates to trust beside the system's. */
  readonly caFile?: string
}

/** Sends one mail to the server, over one session at a time. */
export async function sendTo(mta: Mta, tlsMode: TlsMode, mail: InteropMail): Promise<SendReport> {
  await using agent = createAgent({
    hostname: 'sender.test',
    routes: { [mta.domain]: `${mta.ip}:${mta.port}` },
    tls: { mode: tlsMode, ...(mail.caFile === undefined ? {} : { caFile: mail.caFile }) },
    delivery: { perSite: 1 },
  })
  return await agent.send({
    raw: mail.octets,
    envelopeFrom: mail.envelopeFrom ?? 'alice@sender.test',
    to: mail.to.map((user) => `${user}@${mta.domain}`),
  })
}
