/**
 * A host that is fit to send, in a world of nothing but a zone; each test spoils one thing. Nobody is dialled: there are
 * no receivers, and the name server named is a closed port of loopback.
 */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AgentOptions } from '../../src/config/options.ts'
import { reversedLabels, reverseName } from '../../src/dns/reverse-name.ts'
import { checks } from '../../src/doctor/checks.ts'
import { type ExaminationOptions, examineHost } from '../../src/doctor/doctor.ts'
import type { DoctorReport } from '../../src/doctor/report.ts'
import type { ZoneEntry } from '../../src/sandbox/zone.ts'
import { zoneResolver } from '../support/zone-resolver.ts'

export type Records = Readonly<Record<string, ZoneEntry>>

/** Public addresses; nothing is ever sent there. */
export const ip4 = '5.6.7.8'
export const ip6 = '2a00:1:2::3'

/** All that a sender should publish. */
export const fit: Records = {
  'example.org': {
    mx: [{ preference: 10, host: 'mx.example.org' }],
    txt: ['some-verification=1', `v=spf1 ip4:${ip4} ip6:${ip6} -all`],
  },
  'mx.example.org': { a: ['5.6.7.9'] },
  'mail.example.org': { a: [ip4], aaaa: [ip6], txt: ['v=spf1 a -all'] },
  [reverseName(ip4)]: { ptr: ['mail.example.org'] },
  [reverseName(ip6)]: { ptr: ['mail.example.org'] },
  '_dmarc.example.org': { txt: ['v=DMARC1; p=reject; rua=mailto:postmaster@example.org'] },
  [`${reversedLabels('127.0.0.2')}.list.test`]: { a: ['127.0.0.2'] },
  'test.names.test': { a: ['127.0.0.2'] },
}

const here = dirname(fileURLToPath(import.meta.url))

export const options: AgentOptions = {
  hostname: 'mail.example.org',
  dns: { servers: ['127.0.0.1:9'], timeout: '100ms' },
  doctor: { receivers: [], addressLists: ['list.test'], domainLists: ['names.test'] },
  queue: { dir: here },
}

/** One thing that is not as it should be. */
export interface Situation {
  /** These take the place of the fit host's. */
  readonly records?: Records
  readonly options?: AgentOptions
  readonly examination?: ExaminationOptions
}

/** Runs one check, or with `null` all, and nothing else. */
export function examine(name: string | null, situation: Situation = {}): Promise<DoctorReport> {
  return examineHost(
    { ...options, ...situation.options },
    {
      addresses: [ip4, ip6],
      resolver: zoneResolver({ ...fit, ...situation.records }),
      checks: checks.filter((check) => name === null || check.name === name),
      ...situation.examination,
    },
  )
}
