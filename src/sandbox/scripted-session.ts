/**
 * One connection to a scripted exchanger: octets in, the dialogue's answers out, STARTTLS (RFC 3207) between. One
 * rule: commands are dealt with one after another, each answer written before the next command is looked at.
 */
import { randomBytes } from 'node:crypto'
import type { Server, Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import { type Answer, type DialogueSetting, ScriptedDialogue } from './scripted-dialogue.ts'
import { SessionInput } from './session-input.ts'

/** What a session needs of its exchanger. */
export interface SessionSetting extends DialogueSetting {
  readonly server: Server
  /** Where the script has a certificate. */
  readonly secureContext: SecureContext | undefined
}

/** Fast enough that a test with a short time limit sees several octets. */
const dripMs = 100

class ScriptedSession {
  readonly #setting: SessionSetting
  readonly #dialogue: ScriptedDialogue
  readonly #input = new SessionInput()
  readonly #id = randomBytes(4).toString('hex')
  #socket: Socket
  #busy = false
  #ended = false

  constructor(socket: Socket, setting: SessionSetting) {
    this.#socket = socket
    this.#setting = setting
    this.#dialogue = new ScriptedDialogue(setting)
  }

  start(): void {
    this.#listen()
    this.#perform(this.#dialogue.greet())
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('error', () => socket.destroy())
    socket.on('data', (octets: Buffer) => {
      if (this.#ended) return
      this.#input.push(octets)
      this.#run().catch(() => socket.destroy())
    })
  }

  async #run(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    for (let answer = await this.#next(); answer !== undefined; answer = await this.#next()) {
      this.#perform(answer)
    }
    this.#busy = false
  }

  /** `undefined` when more octets must come first. */
  async #next(): Promise<Answer | undefined> {
    if (this.#ended) return undefined
    const { expecting } = this.#dialogue
    switch (expecting.kind) {
      case 'command': {
        const line = this.#input.takeLine()
        if (line === undefined) return undefined
        this.#note('client', line)
        return this.#dialogue.answer(line)
      }
      case 'content': {
        const content = this.#input.takeContent()
        return content === undefined ? this.#refuseEarly() : await this.#dialogue.takeContent(content)
      }
      case 'chunk': {
        const chunk = this.#input.takeOctets(expecting.octets)
        return chunk && (await this.#dialogue.takeChunk(chunk, expecting))
      }
      default:
        expecting satisfies never
        return undefined
    }
  }

  #refuseEarly(): Answer | undefined {
    const refusal = this.#setting.script.earlyRefusal
    if (refusal === undefined || this.#input.length <= refusal.afterOctets) return undefined
    return { lines: refusal.lines, afterwards: 'close' }
  }

  #perform({ lines = [], afterwards }: Answer): void {
    for (const line of lines) this.#note('server', line)
    if (lines.length > 0 && this.#socket.writable) this.#socket.write(`${lines.join('\r\n')}\r\n`)
    if (afterwards === 'handshake') this.#shakeHands()
    else if (afterwards !== undefined) this.#end(afterwards)
  }

  /** What the client still sends is read and thrown away. */
  #end(afterwards: 'close' | 'wait' | 'drip'): void {
    this.#ended = true
    this.#input.clear()
    if (afterwards === 'close') this.#socket.end()
    if (afterwards !== 'drip') return
    const drip = setInterval(() => this.#socket.write('2'), dripMs)
    this.#socket.once('close', () => clearInterval(drip))
  }

  #shakeHands(): void {
    const { server, secureContext, counters } = this.#setting
    if (secureContext === undefined) return
    const plain = this.#socket
    // RFC 3207 §6: what came in clear behind the command counts for nothing.
    this.#input.clear()
    plain.removeAllListeners('data')
    const secured = new TLSSocket(plain, { isServer: true, server, secureContext })
    secured.once('secure', () => {
      counters.handshakes += 1
      if (secured.isSessionReused()) counters.resumptions += 1
    })
    secured.once('close', () => plain.destroy())
    this.#dialogue.enterTls()
    this.#socket = secured
    this.#listen()
  }

  #note(from: 'client' | 'server', line: string): void {
    const { onDialogue, host } = this.#setting.site
    onDialogue?.({ exchanger: host, session: this.#id, from, line })
  }
}

/** Greets and serves a connection until it ends. */
export const serveScripted = (socket: Socket, setting: SessionSetting): void => {
  new ScriptedSession(socket, setting).start()
}
