/** The suite that every server must pass: what is sent is what lies in the mailbox, octet for octet. */
import { describe, expect, test } from 'vitest'
import type { TlsMode } from '../../src/tls/policy.ts'
import type { Mta } from '../support/mta/mta.ts'
import { contents } from './contents.ts'
import { sendTo } from './sending.ts'
import { asSent, returnPathOf, traceOf, withLineEnd } from './stored.ts'

/** Mailboxes that the suite delivers to. */
export const contentMailboxes: readonly string[] = contents.map(({ name }) => name)

const titled = contents.map((content) => [content.title, content] as const)

/** What a server is expected to show of the way a message came. */
export interface Traces {
  /** In the trace fields of a message that came over TLS. */
  readonly tls: RegExp
}

/** Declares the suite. `tlsModes`: each content is sent once in each. */
export function contentSuite(server: () => Mta, tlsModes: readonly TlsMode[], traces: Traces): void {
  describe.each(tlsModes)('TLS %s', (tlsMode) => {
    test.each(titled)('%s arrives unchanged', async (_title, { name, octets }) => {
      const mta = server()
      const before = (await mta.mailbox(name)).length
      const report = await sendTo(mta, tlsMode, { to: [name], octets })
      expect(report.recipients).toMatchObject([
        { outcome: 'delivered', stage: 'end-of-data', uncertain: false },
      ])
      const stored = (await mta.waitForMail(name, before + 1)).at(-1) ?? Buffer.alloc(0)
      expect(returnPathOf(stored)).toBe('<alice@sender.test>')
      expectSame(asSent(stored), withLineEnd(octets))
      expect(traces.tls.test(traceOf(stored))).toBe(tlsMode !== 'off')
    })
  })
}

/** Compares octets, and shows the neighbourhood of the first difference rather than a megabyte. */
function expectSame(found: Buffer, expected: Buffer): void {
  if (found.equals(expected)) return
  const at = found.findIndex((octet, index) => octet !== expected[index])
  const around = (octets: Buffer) => octets.subarray(Math.max(0, at - 40), at + 40).toString('latin1')
  expect({ at, length: found.length, around: around(found) }).toEqual({
    at: -1,
    length: expected.length,
    around: around(expected),
  })
}
