/**
 * A server that says what its script says and nothing else, on a loopback address: for peers that no real mail server
 * would be. Replies leave whole, octet by octet or cut at an offset; everything the client sends is recorded with its
 * boundaries.
 *
 * One rule: a script that is disappointed (another command than expected) fails the test, at `close`.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { ClientGone, Conversation, type Fragmentation } from './scripted-conversation.ts'
import { follow, type Step } from './scripted-steps.ts'

/** What the server does in one connection: steps in order, or a function where order depends on the client. */
export type Script = readonly Step[] | ((client: Conversation) => Promise<void>)

export interface ScriptedServerOptions {
  /** A loopback address; default `127.0.0.1`. */
  readonly address?: string
  /** Default `whole`. */
  readonly fragmentation?: Fragmentation
}

/** A listening server; `close` it, or bind it with `await using`. */
export class ScriptedServer implements AsyncDisposable {
  readonly #server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  readonly #options: ScriptedServerOptions
  readonly #disappointments: unknown[] = []
  readonly #running = new Set<Promise<void>>()
  readonly #sockets = new Set<Socket>()
  /** Every connection so far, the oldest first. */
  readonly conversations: Conversation[] = []
  /** Replaces the script for connections to come. */
  script: Script
  /** Replaces the fragmentation for connections to come; a function is told how many came before. */
  fragmentation: Fragmentation | ((index: number) => Fragmentation)

  private constructor(script: Script, options: ScriptedServerOptions) {
    this.script = script
    this.fragmentation = options.fragmentation ?? 'whole'
    this.#options = options
  }

  static async start(script: Script, options: ScriptedServerOptions = {}): Promise<ScriptedServer> {
    const started = new ScriptedServer(script, options)
    started.#server.listen(0, options.address ?? '127.0.0.1')
    await once(started.#server, 'listening')
    return started
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): string {
    return this.#options.address ?? '127.0.0.1'
  }

  /** The latest connection. */
  get conversation(): Conversation {
    const latest = this.conversations.at(-1)
    if (latest === undefined) throw new Error('nobody has connected')
    return latest
  }

  /** Waits until every script has run to its end or the client has gone. */
  async settled(): Promise<void> {
    await Promise.all(this.#running)
  }

  /** Drops all connections. @throws what a script was disappointed by */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await this.settled()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
    if (this.#disappointments.length > 0) throw this.#disappointments[0]
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    const { script, fragmentation } = this
    const how = typeof fragmentation === 'function' ? fragmentation(this.conversations.length) : fragmentation
    const conversation = new Conversation(socket, how)
    this.conversations.push(conversation)
    const running = (typeof script === 'function' ? script(conversation) : follow(script, conversation))
      .catch((error: unknown) => {
        if (error instanceof ClientGone) return
        this.#disappointments.push(error)
        socket.destroy()
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }
}
