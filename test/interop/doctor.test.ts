/**
 * The doctor's prescription, taken: what `--fix-records` prints is published in Unbound, whose validation is real, and the
 * host is fit to send.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import type { AgentOptions } from '../../src/config/options.ts'
import { examineHost } from '../../src/doctor/doctor.ts'
import { zoneFragment } from '../../src/doctor/records.ts'
import { makeKey, type TestKey } from '../support/dkim-keys.ts'
import { findUnbound, type StartUnbound } from '../support/mta/unbound.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const found = findUnbound()

/** What is not the sender's to publish: receivers, block lists, and a host that takes the domain's mail. */
const world = [
  ...['one', 'two'].flatMap((name) => [
    `${name}.test. 3600 IN MX 10 mx.${name}.test.`,
    `mx.${name}.test. 3600 IN A 127.0.0.1`,
  ]),
  '2.0.0.127.list.test. 3600 IN A 127.0.0.2',
  'test.names.test. 3600 IN A 127.0.0.2',
  'sender.example. 3600 IN MX 10 mx.sender.example.',
  'mx.sender.example. 3600 IN A 127.0.0.1',
]

describe.skipIf(found === null)('with Unbound', () => {
  const start: StartUnbound = found ?? (() => expect.unreachable())
  let key: TestKey
  beforeAll(() => {
    key = makeKey('sender.example', 'mx1', 'rsa')
  })

  /** Greets as a host of its own each time, as unrelated receivers do. */
  const receivers = async () => {
    let greeted = 0
    return ScriptedServer.start(async (client) => {
      await client.reply(`220 mx${++greeted}.test ESMTP ${new Date().toUTCString().replace('GMT', '+0000')}`)
      for (let command = await client.command(); command !== 'QUIT'; command = await client.command())
        await client.reply('250 mx.test')
      await client.reply('221 bye')
    })
  }

  const optionsFor = async (server: string, port: number): Promise<AgentOptions> => ({
    hostname: 'mail.sender.example',
    sourceAddresses: ['127.0.0.1'],
    dns: { servers: [server] },
    smtp: { port, allowLocalAddresses: true },
    dkim: { 'sender.example': { selector: key.selector, keyFile: key.keyFile } },
    doctor: { receivers: ['one.test', 'two.test'], addressLists: ['list.test'], domainLists: ['names.test'] },
    queue: { dir: await temporaryDirectory() },
  })

  test('the records that are prescribed make the host fit', async () => {
    await using smtp = await receivers()
    await using before = await start({ records: world })
    const ill = await examineHost(await optionsFor(before.server, smtp.port))
    expect(ill.results.filter(({ status }) => status !== 'ok').map(({ code }) => code)).toEqual([
      'ehlo-name-unknown',
      'ptr-missing',
      'spf-missing',
      'dkim-missing',
      'dmarc-missing',
    ])
    // The comment with the PTR record is for the provider, who publishes it too.
    const fragment = zoneFragment(ill.records, ill.domain)
    const prescribed = fragment.map((line) => (/ IN PTR /.test(line) ? line.slice(2) : line))
    await using after = await start({ records: [...world, ...prescribed] })
    const well = await examineHost(await optionsFor(after.server, smtp.port))
    expect(well.results.filter(({ status }) => status !== 'ok')).toEqual([])
    expect(well.verdict).toBe('fit')
    expect(well.results.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['dnssec-validated', 'clock-right', 'dkim-matches', 'dmarc-aligned']),
    )
    expect(well.records.filter(({ state }) => state !== 'placeholder').map(({ state }) => state)).toEqual(
      Array(7).fill('published'),
    )
  })

  test('without signatures nothing is validated, and the clock has the greetings alone', async () => {
    await using smtp = await receivers()
    await using unsigned = await start({ records: world, signatures: 'none' })
    const { results } = await examineHost(await optionsFor(unsigned.server, smtp.port))
    const codes = results.map(({ code }) => code)
    expect(codes).toEqual(expect.arrayContaining(['resolver-answers', 'dnssec-not-validated', 'clock-right']))
  })

  test('with signatures that have run out the resolver fails, and so all is unknown, nothing missing', async () => {
    await using expired = await start({ records: world, signatures: 'expired' })
    const { results } = await examineHost(await optionsFor(expired.server, 9))
    const codes = results.map(({ check, status, code }) => `${check} ${status} ${code}`)
    expect(codes).toEqual(
      expect.arrayContaining([
        'resolver problem resolver-silent',
        'dnssec cannot-tell dnssec-unanswered',
        'ehlo-name cannot-tell ehlo-name-unanswered',
        'spf cannot-tell spf-unanswered',
        'dkim cannot-tell dkim-unanswered',
        'dmarc cannot-tell dmarc-unanswered',
        'bounces cannot-tell bounces-unanswered',
        'block-list cannot-tell list-unanswered',
      ]),
    )
  })
})
