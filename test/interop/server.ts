/** A server under test, for the suites: found, started before a suite's tests and closed after them. */
import { afterAll, beforeAll, describe } from 'vitest'
import { startExim } from '../support/mta/exim.ts'
import { findInstallation, type MtaName } from '../support/mta/installation.ts'
import type { Mta, MtaOptions } from '../support/mta/mta.ts'
import { startOpenSmtpd } from '../support/mta/opensmtpd.ts'
import { startPostfix } from '../support/mta/postfix.ts'

const starters = { postfix: startPostfix, exim: startExim, opensmtpd: startOpenSmtpd }

/** How a suite's server is started; the address is chosen here. */
export type ServerOptions = Omit<MtaOptions, 'address' | 'domain'>

/**
 * Declares a suite that runs against a server of its own; skipped, with the reason in its title, where this machine
 * has no such server. `options` may be a function where they are only known when the suite begins.
 */
export function describeServer(
  name: MtaName,
  title: string,
  options: ServerOptions | (() => Promise<ServerOptions>),
  suite: (server: () => Mta) => void,
): void {
  const installation = findInstallation(name)
  if (installation.kind === 'missing') {
    describe.skip(`${title} (skipped: ${name}: ${installation.reason})`, () => suite(unstarted))
    return
  }
  describe(title, () => {
    let mta: Mta | undefined
    beforeAll(async () => {
      const address = someLoopbackAddress()
      const chosen = typeof options === 'function' ? await options() : options
      mta = await starters[name](installation.root, { address, domain: `${name}.test`, ...chosen })
    })
    afterAll(() => mta?.close())
    suite(() => mta ?? unstarted())
  })
}

function unstarted(): never {
  throw new Error('The server of this suite was not started')
}

/** An address of 127.0.0.0/8 that nobody else is likely to use; the whole network is ours (RFC 1122 §3.2.1.3). */
function someLoopbackAddress(): string {
  const octet = () => 1 + Math.floor(Math.random() * 254)
  return `127.${octet()}.${octet()}.${octet()}`
}
