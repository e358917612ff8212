/**
 * Recipient servers that live on while the daemon dies: they count each message whose final dot they have seen, whatever
 * they then say. One rule: a message counts before anybody is told.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

/**
 * `plain` takes everything; `greylist` refuses each recipient once (450); `drop` takes each recipient's first message and
 * closes the connection instead of saying so, unless somebody shares it who has had his.
 */
export type Behaviour = (typeof behaviours)[number]

/** All of them; a server each. */
export const behaviours = ['plain', 'greylist', 'drop'] as const

/** The servers of all behaviours: `plain.test`, `greylist.test`, `drop.test`. */
export interface Exchangers extends AsyncDisposable {
  /** For `[routes]`. */
  readonly routes: Readonly<Record<string, string>>
  /** Final dots seen, by recipient. */
  readonly taken: ReadonlyMap<string, number>
}

/** A moment of a transaction, as the server sees it: in the order in which they come. */
export type Moment = 'recipient' | 'content' | 'final dot' | 'reply'

/** Told of each moment, with the recipients accepted so far. */
export type Watch = (moment: Moment, recipients: readonly string[]) => void

/** Starts them on free ports of 127.0.0.1. `replyMs`: how long the reply to a final dot takes. */
export async function startExchangers(replyMs: () => number, watch: Watch = () => {}): Promise<Exchangers> {
  const taken = new Map<string, number>()
  const sockets = new Set<Socket>()
  const servers: Server[] = []
  const routes: Record<string, string> = {}
  for (const behaviour of behaviours) {
    const serve = serverOf(behaviour, { taken, replyMs, watch })
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
      // Rejects when the daemon dies in the middle.
      serve(socket).catch(() => socket.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.push(server)
    const address = server.address()
    routes[`${behaviour}.test`] = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  }
  return {
    routes,
    taken,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

interface Shared {
  readonly taken: Map<string, number>
  readonly replyMs: () => number
  readonly watch: Watch
}

function serverOf(
  behaviour: Behaviour,
  { taken, replyMs, watch }: Shared,
): (socket: Socket) => Promise<void> {
  const refused = new Set<string>()
  const accepts = (recipient: string): boolean => {
    if (behaviour !== 'greylist' || refused.has(recipient)) return true
    refused.add(recipient)
    return false
  }
  const drops = (recipients: readonly string[]): boolean =>
    behaviour === 'drop' && recipients.every((recipient) => taken.get(recipient) === 1)
  return async (socket) => {
    const say = (line: string): void => void socket.write(`${line}\r\n`)
    let recipients: string[] = []
    let isContent = false
    say('220 exchanger.test')
    for await (const line of createInterface(socket)) {
      if (isContent) {
        if (line !== '.') continue
        isContent = false
        for (const recipient of recipients) taken.set(recipient, (taken.get(recipient) ?? 0) + 1)
        watch('final dot', recipients)
        await new Promise((resolve) => setTimeout(resolve, replyMs()))
        if (drops(recipients)) socket.destroy()
        else say('250 2.0.0 taken')
        watch('reply', recipients)
        continue
      }
      const verb = line.slice(0, 4).toUpperCase()
      if (verb === 'RCPT') {
        const recipient = /<(.*?)>/.exec(line)?.[1] ?? ''
        const isAccepted = accepts(recipient)
        if (isAccepted) recipients.push(recipient)
        say(isAccepted ? '250 2.1.5 ok' : '450 4.2.0 greylisted')
        watch('recipient', recipients)
      } else if (verb === 'DATA') {
        isContent = true
        say('354 go on')
        watch('content', recipients)
      } else {
        if (verb === 'MAIL') recipients = []
        say(verb === 'QUIT' ? '221 bye' : '250 ok')
      }
    }
  }
}
