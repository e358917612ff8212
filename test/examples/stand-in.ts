/**
 * What examples get when they import `mxpress`: the library itself, but an agent that is not told otherwise takes the
 * simulated internet for the real one, with every domain of the examples behind an exchanger that accepts.
 */

import { createSystemResolver } from '../../src/dns/system.ts'
import {
  type Agent,
  type AgentOptions,
  type AgentSeams,
  probe as ask,
  createAgent as create,
  type DoctorReport,
  type ExaminationOptions,
  examineHost as examine,
  type ProbeOptions,
  type ProbeReport,
  type Resolver,
} from '../../src/index.ts'

export * from '../../src/index.ts'

const { MXPRESS_EXAMPLE_DNS: server = '', MXPRESS_EXAMPLE_PORT: port = '' } = process.env

export function createAgent(options: AgentOptions = {}, seams: AgentSeams = {}): Agent {
  if (options.dns !== undefined) return create(options, seams)
  const smtp = { port: Number(port), allowLocalAddresses: true }
  return create({ ...options, smtp }, { resolver: everybodyAccepts(), ...seams })
}

/** Every domain is behind the exchanger that accepts. */
export function probe(
  targets: string | Iterable<string> | AsyncIterable<string>,
  options: ProbeOptions = {},
): AsyncIterableIterator<ProbeReport> {
  const agent = { ...options.agent, smtp: { port: Number(port), allowLocalAddresses: true } }
  return ask(targets, { ...options, agent }, { resolver: everybodyAccepts() })
}

/** Nobody is asked but the sandbox. */
export function examineHost(
  options: AgentOptions = {},
  examination: ExaminationOptions = {},
): Promise<DoctorReport> {
  const dns = { servers: [server] }
  const smtp = { port: Number(port), allowLocalAddresses: true }
  const lists = { addressLists: ['blocklist.test'], domainLists: ['domain-blocklist.test'] }
  return examine({ ...options, dns, smtp, doctor: { receivers: ['accepts.test'], ...lists } }, examination)
}

function everybodyAccepts(): Resolver {
  const sandbox = createSystemResolver({ servers: [server], timeoutMs: 30_000 })
  return { ...sandbox, resolveMx: async () => [{ host: 'mx.accepts.test', preference: 10 }] }
}
