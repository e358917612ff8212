/** A recipient server that follows a script: a listener that gives every connection its session. */
import { createServer, type Server } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { ExchangerSite, RunningExchanger } from './exchanger.ts'
import { Listener } from './listener.ts'
import type { Script } from './script.ts'
import { serveScripted } from './scripted-session.ts'
import { makeCounters } from './statistics.ts'

/** A recipient server on `node:net`. */
export class ScriptedExchanger implements RunningExchanger {
  readonly #site: ExchangerSite
  readonly #counters = makeCounters()
  readonly #listener: Listener

  constructor(site: ExchangerSite, script: Script) {
    this.#site = site
    const secureContext = makeSecureContext(site, script)
    const server: Server = createServer({ noDelay: true }, (socket) => {
      serveScripted(socket, { site, script, secureContext, server, counters: this.#counters })
    })
    this.#listener = new Listener(server, this.#counters)
  }

  get host(): string {
    return this.#site.host
  }

  get ip(): string {
    return this.#site.ip
  }

  get statistics() {
    return { ...this.#counters }
  }

  listen(port: number): Promise<number> {
    return this.#listener.listen(port, this.ip)
  }

  close(): Promise<void> {
    return this.#listener.close()
  }
}

/** One for all sessions, so that tickets of one are good for the next. */
const makeSecureContext = ({ certificates }: ExchangerSite, script: Script): SecureContext | undefined =>
  script.certificate === undefined ? undefined : createSecureContext(certificates.kinds[script.certificate])
