/** Probes of a scripted server: every domain of `.test` leads to it. */
import type { MxRecord, Resolver } from '../../src/dns/resolver.ts'
import { type ProbeOptions, type ProbeSeams, probe } from '../../src/probe/probe.ts'
import type { ProbeReport } from '../../src/probe/report.ts'
import { scripted } from '../support/scripted.ts'
import type { ScriptedServer } from '../support/scripted-server.ts'
import { type Answers, ordinary } from '../support/scripted-steps.ts'

/** A server with these answers, closed when the test is over. */
export async function serverWith(answers: Answers = {}, address = '127.0.0.1'): Promise<ScriptedServer> {
  return scripted(ordinary(answers), { address })
}

/** Names one exchanger for every domain, at an address that may depend on its name, and counts who was asked for. */
export class OneExchanger implements Resolver {
  readonly #address: (host: string) => string
  readonly #exchangers: (domain: string) => readonly MxRecord[]
  readonly queries: string[] = []

  constructor(
    address: string | ((host: string) => string),
    exchangers: (domain: string) => readonly MxRecord[] = () => [{ host: 'mx.example.test', preference: 10 }],
  ) {
    this.#address = typeof address === 'string' ? () => address : address
    this.#exchangers = exchangers
  }

  async resolveMx(domain: string): Promise<readonly MxRecord[]> {
    this.queries.push(`MX ${domain}`)
    return this.#exchangers(domain)
  }

  async resolve4(host: string): Promise<readonly string[]> {
    this.queries.push(`A ${host}`)
    return [this.#address(host)]
  }

  async resolve6(host: string): Promise<readonly string[]> {
    this.queries.push(`AAAA ${host}`)
    return [this.#address(host)]
  }
}

/** The options that lead to a server. */
export function leadingTo(port: number, options: ProbeOptions = {}): ProbeOptions {
  const agent = { hostname: 'prober.test', smtp: { port, allowLocalAddresses: true }, ...options.agent }
  return { ...options, agent }
}

/** All reports of a probe of the server. */
export async function probed(
  server: Pick<ScriptedServer, 'address' | 'port'>,
  targets: string | readonly string[],
  options: ProbeOptions = {},
  seams: ProbeSeams = {},
): Promise<readonly ProbeReport[]> {
  return all(
    probe(targets, leadingTo(server.port, options), { resolver: new OneExchanger(server.address), ...seams }),
  )
}

/** The report of a probe of one target. */
export async function report(
  server: Pick<ScriptedServer, 'address' | 'port'>,
  target: string,
  options: ProbeOptions = {},
): Promise<ProbeReport> {
  const [only] = await probed(server, target, options)
  if (only === undefined) throw new Error('expected a report, found none')
  return only
}

/** Everything an iteration gives. */
export async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

/** Verbs heard in one session, in order. */
export function verbs(server: ScriptedServer, session = 0): readonly string[] {
  return (server.conversations[session]?.commands ?? []).map((command) => command.split(/[ :]/)[0] ?? '')
}
