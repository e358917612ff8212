/** An exchanger that takes messages and keeps its reply to the final dot until it is told: the moment when only it knows. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

/** Port and levers of the exchanger. */
export interface HeldExchanger extends AsyncDisposable {
  readonly port: number
  /** Resolves when a whole message has come. */
  readonly reached: Promise<void>
  /** Replies to the final dot; default `250 2.0.0 at last`. */
  accept(reply?: string): void
}

const replies: Readonly<Record<string, string>> = {
  EHLO: '250 held.test',
  DATA: '354 go on',
  QUIT: '221 bye',
}

/** Starts one on 127.0.0.1. */
export async function startHeldExchanger(): Promise<HeldExchanger> {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  const { promise: accepted, resolve: accept } = Promise.withResolvers<string>()
  const sockets = new Set<Socket>()
  const server = createServer(async (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    const say = (line: string): void => void socket.write(`${line}\r\n`)
    say('220 held.test')
    let isContent = false
    for await (const line of createInterface(socket)) {
      if (isContent && line !== '.') continue
      if (isContent) {
        isContent = false
        reach()
        say(await accepted)
        continue
      }
      const verb = line.slice(0, 4).toUpperCase()
      isContent = verb === 'DATA'
      say(replies[verb] ?? '250 ok')
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    reached,
    accept: (reply = '250 2.0.0 at last') => accept(reply),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
