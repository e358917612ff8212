/**
 * One TCP connection, in clear or under TLS: octets out, replies in. It knows nothing of what the words mean.
 *
 * One rule: it fails once. The first thing to go wrong (lost, too slow, no reply, given up) is kept, destroys the
 * socket, and is what every later call gets; so no event of a dying socket can fork the dialogue above.
 */
import type { Socket } from 'node:net'
import { ConnectionLostError, RemoteProtocolError, TimeoutError } from '../smtp/errors.ts'
import { type Reply, ReplyParser } from '../smtp/reply.ts'
import { Concealment } from './concealment.ts'
import { Deadline } from './deadline.ts'
import type { Trace } from './dialogue.ts'

/** A connected socket whose octets go to `reader.onOctets`, which the connection sets. */
export interface PlainSocket {
  readonly socket: Socket
  readonly reader: { onOctets: (octets: Uint8Array) => void }
  /** Our end of it, in its one spelling; `null` when unknown. */
  readonly localAddress: string | null
}

interface Waiter {
  /** `reply`: one whole reply · `drain`: the socket takes more, or a reply came first. */
  readonly wants: 'reply' | 'drain'
  readonly step: string
  readonly limitMs: number
  resolve(): void
  reject(error: Error): void
}

/** Owns a connected socket from its first octet to its end. Close it with `destroy`, or `end` after QUIT. */
export class Connection {
  /** The address that the peer sees us under, unless it was translated on the way; `null` when unknown. */
  readonly localAddress: string | null
  #socket: Socket
  readonly #reader: PlainSocket['reader']
  readonly #trace: Trace | null
  readonly #parser = new ReplyParser()
  readonly #replies: Reply[] = []
  readonly #deadline = new Deadline(() => this.#expire())
  readonly #concealment = new Concealment()
  #mostUnread = MAX_UNREAD_REPLIES
  #waiter: Waiter | null = null
  #failure: Error | null = null

  constructor({ socket, reader, localAddress }: PlainSocket, trace: Trace | null = null) {
    this.localAddress = localAddress
    this.#socket = socket
    this.#reader = reader
    this.#trace = trace
    reader.onOctets = (octets) => this.#receive(octets)
    this.#attach(socket)
  }

  /** Why nothing more can be said over this connection; `null` while it is sound. */
  get failure(): Error | null {
    return this.#failure
  }

  /** Replies that have arrived and nobody has taken. */
  get hasReply(): boolean {
    return this.#replies.length > 0
  }

  /** Whether the peer has said something, or begun to, that answers nothing. */
  get hasUnasked(): boolean {
    return this.#replies.length > 0 || this.#parser.isMidReply
  }

  /** A flight with this many commands more than usual is about to go out. */
  expectReplies(more: number): void {
    this.#mostUnread = MAX_UNREAD_REPLIES + more
  }

  /** The oldest reply nobody has taken, whatever it answers. */
  peekReply(): Reply | null {
    return this.#replies[0] ?? null
  }

  /** Whether everything written has been handed to the system. */
  get isDrained(): boolean {
    return this.#socket.writableLength === 0
  }

  /** The socket, for the handshake only; octets that arrive from now on are nobody's. */
  detach(): Socket {
    const socket = this.#socket
    this.#reader.onOctets = () => {}
    socket.removeAllListeners('end')
    socket.removeAllListeners('drain')
    return socket
  }

  /** Continues on the encrypted socket; whatever arrived in clear is thrown away (RFC 3207 §4.2, CVE-2011-0411). */
  adopt(socket: Socket): void {
    this.#parser.reset()
    this.#replies.length = 0
    this.#socket = socket
    // Node reads an encrypted socket by events only; `onread` is for plain ones.
    socket.on('data', (octets: Buffer) => this.#receive(octets))
    this.#attach(socket)
  }

  /** Writes one flight in one go. @returns whether the socket takes more without buffering. @throws the failure */
  write(flight: Uint8Array | string): boolean {
    if (this.#failure !== null) throw this.#failure
    return this.#socket.write(flight)
  }

  /**
   * Writes a head and the content behind it with one system call (writev): copying them together costs twice the CPU at
   * 64 KB, two writes 1.7 times at 2 KB. @returns and throws as `write`
   */
  writeTogether(head: string, content: Uint8Array): boolean {
    if (this.#failure !== null) throw this.#failure
    this.#socket.cork()
    this.#socket.write(head)
    const takesMore = this.#socket.write(content)
    this.#socket.uncork()
    return takesMore
  }

  /** Shows a line to whoever follows the dialogue. */
  trace(direction: 'client' | 'server', text: string): void {
    this.#trace?.(direction, text)
  }

  /** From now on this is taken out of whatever the peer says; it may repeat what it was told. */
  conceal(secret: Parameters<Concealment['add']>[0]): void {
    this.#concealment.add(secret)
  }

  /** Whether `trace` has a listener; spares the hot path the making of texts. */
  get isTraced(): boolean {
    return this.#trace !== null
  }

  /** A reply that is there already, without waiting; `null` when there is none. */
  takeReply(): Reply | null {
    return this.#replies.shift() ?? null
  }

  /**
   * The next reply, within `limitMs` from now.
   * @throws {SmtpError} the connection's failure; a limit that is exceeded is one.
   */
  async readReply(step: string, limitMs: number): Promise<Reply> {
    for (;;) {
      const reply = this.#replies.shift()
      if (reply !== undefined) return reply
      await this.#wait('reply', step, limitMs)
    }
  }

  /** Resolves when the socket takes more, or earlier when a reply arrives. @throws {SmtpError} */
  async drained(step: string, limitMs: number): Promise<void> {
    if (this.hasReply) return
    if (this.#failure === null && !this.#socket.writableNeedDrain) return
    await this.#wait('drain', step, limitMs)
  }

  /** Ends the connection in good order: what was written is sent first. Who waits is told. Resolves when it is closed. */
  end(): Promise<void> {
    this.#deadline.close()
    this.#failure ??= new ConnectionLostError('the connection was closed')
    this.#waiter?.reject(this.#failure)
    this.#waiter = null
    return endSocket(this.#socket)
  }

  /** Drops the connection at once. `reason` is what everyone who waits gets. */
  destroy(reason: Error): void {
    this.#fail(reason)
  }

  #wait(wants: Waiter['wants'], step: string, limitMs: number): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    this.#deadline.set(limitMs)
    return new Promise((resolve, reject) => {
      this.#waiter = { wants, step, limitMs, resolve, reject }
    })
  }

  #settle(): void {
    const waiter = this.#waiter
    if (waiter === null) return
    this.#waiter = null
    this.#deadline.clear()
    waiter.resolve()
  }

  #attach(socket: Socket): void {
    socket.on('drain', () => {
      if (this.#waiter?.wants === 'drain') this.#settle()
    })
    socket.on('end', () => this.#fail(new ConnectionLostError('the peer closed the connection')))
    socket.on('error', (cause: NodeJS.ErrnoException) =>
      this.#fail(new ConnectionLostError(`the connection broke: ${cause.code ?? cause.message}`, { cause })),
    )
    socket.on('close', () => this.#fail(new ConnectionLostError('the connection was closed')))
    if (socket.destroyed) this.#fail(new ConnectionLostError('the connection was closed'))
  }

  #receive(octets: Uint8Array): void {
    if (this.#failure !== null) return
    const known = this.#replies.length
    try {
      this.#parser.push(octets, this.#replies)
    } catch (error) {
      this.#hideFrom(known)
      this.#showFrom(known)
      this.#fail(this.#concealment.isEmpty ? (error as RemoteProtocolError) : unseen())
      return
    }
    this.#hideFrom(known)
    if (this.#replies.length > this.#mostUnread) {
      this.#fail(new RemoteProtocolError('expected one reply for each command, found a flood of them'))
      return
    }
    this.#showFrom(known)
    if (this.#replies.length > known) this.#settle()
  }

  #hideFrom(index: number): void {
    if (this.#concealment.isEmpty) return
    for (let at = index; at < this.#replies.length; at++) {
      const reply = this.#replies[at]
      if (reply === undefined) continue
      this.#replies[at] = { ...reply, lines: reply.lines.map((line) => this.#concealment.hide(line)) }
    }
  }

  #showFrom(index: number): void {
    if (this.#trace === null) return
    for (const reply of this.#replies.slice(index)) {
      const status = reply.status === null ? '' : `${reply.status} `
      reply.lines.forEach((line, at) => {
        const separator = at < reply.lines.length - 1 ? '-' : ' '
        this.#trace?.('server', `${reply.code}${separator}${status}${line}`.trimEnd())
      })
    }
  }

  #expire(): void {
    const waiter = this.#waiter
    if (waiter !== null) this.#fail(new TimeoutError(waiter.step, waiter.limitMs))
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#deadline.close()
    this.#socket.destroy()
    const waiter = this.#waiter
    this.#waiter = null
    if (waiter === null) return
    // A reply that arrived whole before the failure is still the peer's word; the reader takes it first.
    if (this.hasReply) waiter.resolve()
    else waiter.reject(error)
  }
}

/** What is no reply is cut somewhere, and then what it repeats can no longer be found in it. */
function unseen(): RemoteProtocolError {
  return new RemoteProtocolError('expected a reply, found something else (not shown: we have logged in here)')
}

/** What was written is sent first. Resolves when the socket is closed. */
export function endSocket(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve()
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
    socket.end()
    // A peer that never closes its side must not keep the socket.
    socket.destroySoon()
  })
}

// A flight has at most four commands beside RCPT; a 421 or a second opinion may come on top.
const MAX_UNREAD_REPLIES = 64
