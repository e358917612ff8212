/** Recipient servers for the tests of this folder, on top of the scripted server, and what can be read off them. */
import { createSecureContext, type SecureContext } from 'node:tls'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import type { Conversation } from '../support/scripted-conversation.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { type Answers, ordinary } from '../support/scripted-steps.ts'
import type { Place } from './fixtures.ts'

export const pipelining = ['PIPELINING', '8BITMIME', 'SMTPUTF8'] as const
export const chunking = [...pipelining, 'CHUNKING'] as const

/** A server that keeps the protocol but for the given answers. */
export function serverWith(answers: Answers = {}): Promise<ScriptedServer> {
  return ScriptedServer.start(ordinary(answers))
}

export function placeOf({ address, port }: ScriptedServer): Place {
  return { address, port }
}

/** A place where nobody listens: a server that was there a moment ago. */
export async function nobody(): Promise<Place> {
  const gone = await ScriptedServer.start([])
  const place = placeOf(gone)
  await gone.close()
  return place
}

/** Everyone who was named in a RCPT, in the order named, with repetitions. */
export function recipientsAt(server: ScriptedServer): readonly string[] {
  return server.conversations
    .flatMap(({ commands }) => commands)
    .flatMap((command) => /^RCPT TO:<([^>]*)>/i.exec(command)?.[1] ?? [])
}

/** Commands of all sessions that begin with this verb. */
export function commandsAt(server: ScriptedServer, verb: string): readonly string[] {
  return server.conversations.flatMap(({ commands }) =>
    commands.filter((command) => command.startsWith(verb)),
  )
}

/** How many sessions are open, from the greeting to QUIT. */
export class SessionGauge {
  open = 0
  peak = 0

  /** The answers, counted. */
  counting(answers: Answers = {}): Answers {
    return {
      ...answers,
      greeting: async (client) => {
        this.open++
        this.peak = Math.max(this.peak, this.open)
        await client.reply('220 mx.example.test ESMTP')
      },
      QUIT: async (client) => {
        this.open--
        await client.reply('221 2.0.0 bye')
      },
    }
  }
}

/** A door that opens once: `passed` resolves then. */
export class Gate {
  readonly #opened = Promise.withResolvers<void>()

  open(): void {
    this.#opened.resolve()
  }

  get passed(): Promise<void> {
    return this.#opened.promise
  }
}

/** Answers with the next reply of a list; with the last one from then on. */
export function inTurn(...replies: readonly string[]): (client: Conversation) => Promise<void> {
  let at = 0
  return (client) => client.reply(replies[Math.min(at++, replies.length - 1)] ?? '250 ok')
}

/** A server's side of TLS, by a CA of its own. */
export function certificateFor(...hosts: readonly string[]): {
  readonly ca: string
  readonly secureContext: SecureContext
  readonly selfSigned: SecureContext
} {
  const { ca, kinds } = makeCertificates(hosts)
  return {
    ca,
    secureContext: createSecureContext(kinds.trusted),
    selfSigned: createSecureContext(kinds['self-signed']),
  }
}
