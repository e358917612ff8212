/**
 * A listening TCP server that can be closed at once. One rule: whoever listens in the sandbox does it through a
 * `Listener`, so that closing it leaves no socket behind.
 */
import type { Server, Socket } from 'node:net'
import type { Counters } from './statistics.ts'

/** Owns a server's socket and all its connections; `close` ends them. */
export class Listener {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(server: Server, counters?: Counters) {
    this.#server = server
    // Before the server's own listener: a refused connection is counted too.
    server.prependListener('connection', (socket) => this.#track(socket, counters))
  }

  #track(socket: Socket, counters: Counters | undefined): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    if (counters !== undefined) {
      counters.connections += 1
      counters.open += 1
      counters.peak = Math.max(counters.peak, counters.open)
    }
    this.#onceClosed(socket, () => {
      this.#sockets.delete(socket)
      if (counters !== undefined) counters.open -= 1
    })
  }

  /** smtp-server takes all listeners off a socket that it puts under TLS, so the end is seen at its destruction. */
  #onceClosed(socket: Socket, onClosed: () => void): void {
    const destroy = socket._destroy.bind(socket)
    socket._destroy = (error, done) => {
      onClosed()
      destroy(error, done)
    }
  }

  /**
   * Listens and gives the port, which is the one asked for unless that was 0.
   * @throws {Error} with the system's code (`EADDRINUSE`, `EADDRNOTAVAIL`).
   */
  listen(port: number, ip: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ port, host: ip, exclusive: true }, () => {
        this.#server.off('error', reject)
        const address = this.#server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  /** Ends every connection without a word and stops listening. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      for (const socket of this.#sockets) socket.destroy()
    })
  }
}
