/** The client's side in the tests of this folder: from a scripted server to a connection or a session. */
import type { Login } from '../../src/client/authenticate.ts'
import { Connection, type PlainSocket } from '../../src/client/connection.ts'
import { dial } from '../../src/client/dial.ts'
import type { Trace } from '../../src/client/dialogue.ts'
import { openSession } from '../../src/client/opening.ts'
import type { Session } from '../../src/client/session.ts'
import { SessionOpenError } from '../../src/client/session-open-error.ts'
import { TlsClient } from '../../src/client/tls.ts'
import type { Timeouts } from '../../src/config/timeouts.ts'
import type { Target } from '../../src/route/targets.ts'
import type { TlsMode } from '../../src/tls/policy.ts'
import { defaultTimeouts } from '../support/default-timeouts.ts'
import { scripted } from '../support/scripted.ts'
import type { ScriptedServer } from '../support/scripted-server.ts'
import { type Answers, ordinary } from '../support/scripted-steps.ts'

export const HOST = 'mx.example.test'

/** The server as a target that DNS might have named. */
export function targetOf(server: Pick<ScriptedServer, 'address' | 'port'>, host = HOST): Target {
  const family = server.address.includes(':') ? 6 : 4
  return {
    exchanger: { host, preference: 10, implicit: false, port: server.port },
    ip: server.address,
    family,
  }
}

/** A connected socket on which nothing has been read. */
export async function dialServer(server: Pick<ScriptedServer, 'address' | 'port'>): Promise<PlainSocket> {
  const { connected } = await dial([targetOf(server)], { connectMs: 30_000 })
  if (connected === null) throw new Error('the scripted server does not answer')
  return connected
}

export async function connect(server: ScriptedServer, trace: Trace | null = null): Promise<Connection> {
  return new Connection(await dialServer(server), trace)
}

export interface OpenOptions {
  /** Default `opportunistic`. */
  readonly tls?: TlsMode
  readonly tlsClient?: TlsClient
  readonly host?: string
  readonly timeouts?: Partial<Timeouts>
  readonly trace?: Trace
  readonly login?: Login
  readonly isTlsImplicit?: boolean
}

/** A session with the server. @throws {SessionOpenError} */
export async function open(server: ScriptedServer, options: OpenOptions = {}): Promise<Session> {
  const connection = await connect(server, options.trace)
  return openSession(connection, targetOf(server, options.host), {
    hostname: 'client.example.test',
    timeouts: { ...defaultTimeouts, ...options.timeouts },
    tlsPolicy: { mode: options.tls ?? 'opportunistic', minVersion: 'TLSv1.2', decidedBy: 'test' },
    tlsClient: options.tlsClient ?? new TlsClient(),
    login: options.login ?? null,
    isTlsImplicit: options.isTlsImplicit ?? false,
  })
}

/** Why no session could be opened. */
export async function refusalOf(
  server: ScriptedServer,
  options: OpenOptions = {},
): Promise<SessionOpenError> {
  const outcome: unknown = await open(server, options).catch((error: unknown) => error)
  if (outcome instanceof SessionOpenError) return outcome
  throw new Error('expected a refusal', { cause: outcome })
}

/** What the server had heard in its last connection when that was over. */
export async function commandsAt(server: ScriptedServer): Promise<readonly string[]> {
  await server.settled()
  return server.conversation.commands
}

/** A session with an ordinary server that gives these answers; the server is closed when the test is over. */
export async function opened(answers: Answers, options: OpenOptions = {}) {
  const server = await scripted(ordinary(answers))
  const session = await open(server, options)
  return { server, session, heard: server.conversation }
}
