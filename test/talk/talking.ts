/** A dialogue with a scripted server, and what was told of it. */
import { onTestFinished } from 'vitest'
import type { TlsClient } from '../../src/client/tls.ts'
import { TlsClient as Client } from '../../src/client/tls.ts'
import type { TalkEvent } from '../../src/talk/events.ts'
import { Talk } from '../../src/talk/talk.ts'
import { dialServer, targetOf } from '../client/open.ts'
import { scripted } from '../support/scripted.ts'
import type { Script, ScriptedServer } from '../support/scripted-server.ts'

/** How to lead it; a script unless told otherwise. */
export interface Leading {
  readonly isStrict?: boolean
  readonly timeoutMs?: number
  readonly isRaw?: boolean
  readonly tlsClient?: TlsClient
  readonly files?: Readonly<Record<string, string>>
  readonly implicitTls?: boolean
}

/** A dialogue that has been greeted. */
export interface Talking {
  readonly talk: Talk
  readonly server: ScriptedServer
  readonly events: readonly TalkEvent[]
  /** Takes the lines, one after another. */
  say(...lines: readonly string[]): Promise<void>
  /** What was said and heard: `C: …`, `S: …`. */
  lines(): readonly string[]
}

/** Calls a server that follows the script. */
export async function talkTo(script: Script, leading: Leading = {}): Promise<Talking> {
  const server = await scripted(script)
  const events: TalkEvent[] = []
  const talk = new Talk(await dialServer(server), {
    target: targetOf(server),
    tlsClient: leading.tlsClient ?? new Client({ inspects: true }),
    timeoutMs: leading.timeoutMs ?? 30_000,
    isStrict: leading.isStrict ?? true,
    isRaw: leading.isRaw ?? false,
    onEvent: (event) => events.push(event),
    ownName: async () => 'own.test',
    readFile: async (file) => Buffer.from(leading.files?.[file] ?? ''),
  })
  onTestFinished(() => talk.drop())
  await talk.greet({ implicitTls: leading.implicitTls ?? false })
  return {
    talk,
    server,
    events,
    say: async (...lines) => {
      for (const line of lines) await talk.take(line)
    },
    lines: () => events.flatMap(spoken),
  }
}

function spoken(event: TalkEvent): string[] {
  if (event.kind === 'said') return [`C: ${event.text}`]
  return event.kind === 'heard' ? [`S: ${event.line.text}`] : []
}
