/** mxpress hands mail to real relays that want a login: what arrives, what is said when it does not. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAgent, type SendReport } from '../../src/agent.ts'
import type { AgentOptions } from '../../src/config/options.ts'
import { run } from '../cli/run.ts'
import { eventually, queueOf } from '../cli/serving.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { runProgram } from './program.ts'
import { crowd, known, postfixRelay, type RealRelay, recipientLimit, relayKinds } from './relays.ts'
import { serve } from './serving.ts'

type Relay = NonNullable<AgentOptions['relay']>

const login = { user: known.user, password: () => known.password }

interface Sending extends AgentOptions {
  readonly to: readonly string[]
}

async function send(
  { mta, caFile }: RealRelay,
  relay: Relay,
  { to, ...options }: Sending,
): Promise<SendReport> {
  await using agent = createAgent({
    hostname: 'sender.test',
    tls: { caFile },
    relay: { host: mta.ip, ...relay },
    ...options,
  })
  const domain = mta.domain
  return agent.send({
    from: 'alice@sender.test',
    to: to.map((user) => `${user}@${domain}`),
    subject: 'by relay',
    text: 'hello\n',
  })
}

for (const kind of relayKinds) {
  describe.skipIf(kind.missing !== null)(
    `${kind.name}${kind.missing === null ? '' : ` (skipped: ${kind.missing})`}`,
    () => {
      let relay: RealRelay
      beforeAll(async () => {
        relay = await kind.start()
      })
      afterAll(() => relay?.[Symbol.asyncDispose]())

      describe.each([587, 465])('at port %i', (port) => {
        test.each(kind.mechanisms)('takes mail after a login by %s', async (mechanism) => {
          const before = (await relay.mta.mailbox('bob')).length
          const report = await send(
            relay,
            { port, ...login, mechanisms: [mechanism as 'PLAIN'] },
            { to: ['bob'] },
          )
          expect(report.recipients[0]).toMatchObject({
            outcome: 'delivered',
            via: 'relay',
            tls: { verified: true },
          })
          await relay.mta.waitForMail('bob', before + 1)
        })

        test('takes the strongest of what it offers', async () => {
          const lines: string[] = []
          await using agent = createAgent(
            {
              hostname: 'sender.test',
              tls: { caFile: relay.caFile },
              relay: { host: relay.mta.ip, port, ...login },
            },
            { trace: ({ text }) => lines.push(text) },
          )
          await agent.send({ from: 'a@sender.test', to: `bob@${relay.mta.domain}`, text: 'x' })
          expect(lines.find((line) => line.startsWith('AUTH'))).toMatch(
            new RegExp(`^AUTH ${kind.mechanisms[0]}`),
          )
          expect(lines.join('\n')).not.toContain(known.password)
        })

        test('with a wrong password defers everybody, and is asked once', async () => {
          const lines: string[] = []
          await using agent = createAgent(
            {
              hostname: 'sender.test',
              tls: { caFile: relay.caFile },
              relay: { host: relay.mta.ip, port, user: known.user, password: () => 'wrong' },
            },
            { trace: ({ direction, text }) => direction === 'server' && lines.push(text) },
          )
          const to = ['bob', 'carol', 'dave'].map((user) => `${user}@${relay.mta.domain}`)
          const report = await agent.send({ from: 'a@sender.test', to, text: 'x' })
          expect(report.counts).toEqual({ delivered: 0, deferred: 3, failed: 0 })
          for (const recipient of report.recipients) {
            expect(recipient).toMatchObject({ stage: 'auth', reply: { code: 535 } })
          }
          expect(lines.filter((line) => line.startsWith('535'))).toHaveLength(1)
        })

        test('refuses one recipient of a transaction and takes the others', async () => {
          const before = (await relay.mta.mailbox('carol')).length
          const report = await send(relay, { port, ...login }, { to: ['carol', 'nobody', 'dave'] })
          expect(report.recipients.map(({ outcome }) => outcome)).toEqual(
            expect.arrayContaining(['delivered', 'failed', 'delivered']),
          )
          const refused = report.recipients.find(({ outcome }) => outcome === 'failed')
          expect(refused).toMatchObject({
            address: `nobody@${relay.mta.domain}`,
            stage: 'rcpt',
            status: '5.1.1',
          })
          await relay.mta.waitForMail('carol', before + 1)
        })

        test('is not logged in to by a mechanism that it does not have', async () => {
          const report = await send(relay, { port, ...login, mechanisms: ['XOAUTH2'] }, { to: ['bob'] })
          expect(report.recipients[0]).toMatchObject({
            outcome: 'deferred',
            stage: 'auth',
            status: '4.7.4',
            diagnostic: expect.stringMatching(/^the server offers AUTH .*, and we may use XOAUTH2$/),
          })
        })

        test('without a login refuses, and what it says is nobody’s bounce before MAIL and RCPT are asked', async () => {
          const report = await send(relay, { port }, { to: ['bob'] })
          expect(report.counts.delivered).toBe(0)
          expect(report.recipients[0]?.stage).toMatch(/^(mail|rcpt)$/)
        })

        test('whose certificate nobody vouches for is not logged in to', async () => {
          const report = await send(relay, { port, ...login }, { to: ['bob'], tls: {} })
          expect(report.recipients[0]).toMatchObject({
            outcome: 'deferred',
            stage: 'starttls',
            status: '4.7.5',
            diagnostic: expect.stringContaining('self-signed'),
          })
        })
      })

      test('implicit TLS at a port that speaks in clear is said to have failed, and the other way round', async () => {
        const clear = await send(relay, { port: 587, implicitTls: true, ...login }, { to: ['bob'] })
        expect(clear.recipients[0]).toMatchObject({ stage: 'starttls', status: '4.7.4' })
        const timeouts = { greeting: '1s' }
        const secure = await send(
          relay,
          { port: 465, implicitTls: false, ...login },
          { to: ['bob'], timeouts },
        )
        expect(secure.recipients[0]).toMatchObject({ outcome: 'deferred', stage: 'greeting' })
      })

      test('takes over from a relay that is down', async () => {
        const gone = await ScriptedServer.start([])
        const down = { host: gone.address, port: gone.port }
        await gone.close()
        const before = (await relay.mta.mailbox('fallen')).length
        await using agent = createAgent({
          hostname: 'sender.test',
          tls: { caFile: relay.caFile },
          relay: { ...down, ...login },
          fallbackRelay: { host: relay.mta.ip, port: 465, ...login },
        })
        const report = await agent.send({
          from: 'a@sender.test',
          to: `fallen@${relay.mta.domain}`,
          text: 'x',
        })
        expect(report.recipients[0]).toMatchObject({
          outcome: 'delivered',
          via: 'fallbackRelay',
          attempts: [
            { stage: 'connect', via: 'relay' },
            { stage: 'end-of-data', via: 'fallbackRelay' },
          ],
        })
        await relay.mta.waitForMail('fallen', before + 1)
      })

      test('takes over what the recipients’ own exchangers cannot be asked for', async () => {
        const before = (await relay.mta.mailbox('fallen')).length
        const gone = await ScriptedServer.start([])
        const { port } = gone
        await gone.close()
        const { mta, caFile } = relay
        await using agent = createAgent(
          {
            hostname: 'sender.test',
            smtp: { port, allowLocalAddresses: true },
            tls: { caFile },
            fallbackRelay: { host: mta.ip, port: 587, ...login },
          },
          {
            resolver: {
              resolveMx: async () => [{ host: 'mx.test', preference: 1 }],
              resolve4: async () => ['127.0.0.1'],
              resolve6: async () => [],
            },
          },
        )
        const report = await agent.send({ from: 'a@sender.test', to: `fallen@${mta.domain}`, text: 'x' })
        expect(report.recipients[0]).toMatchObject({
          outcome: 'delivered',
          via: 'fallbackRelay',
          attempts: [{ stage: 'connect' }, { via: 'fallbackRelay', port: 587 }],
        })
        await mta.waitForMail('fallen', before + 1)
      })
    },
  )
}

describe.skipIf(postfixRelay.missing !== null)('Postfix as a relay', () => {
  test('with a certificate that has expired is not logged in to', async () => {
    await using relay = await postfixRelay.start({ hasExpired: true })
    for (const port of [587, 465]) {
      const report = await send(relay, { port, ...login }, { to: ['bob'] })
      expect(report.recipients[0]).toMatchObject({
        outcome: 'deferred',
        stage: 'starttls',
        status: '4.7.5',
        diagnostic: expect.stringContaining('expired'),
      })
    }
    expect(relay.mta.log()).not.toContain('sasl_method')
  })

  test.each(['e\u0301 and \u2168', '\u05e9abc1\u0007'])(
    'takes the password %j, which SASLprep changes or forbids (RFC 4013)',
    async (password) => {
      await using relay = await postfixRelay.start({ password })
      const right = { user: known.user, password: () => password }
      const report = await send(relay, right, { to: ['bob'] })
      expect(report.counts).toMatchObject({ delivered: 1 })
    },
  )

  test('splits a message to more recipients than it takes at once', async () => {
    await using relay = await postfixRelay.start({ mechanisms: ['PLAIN'] })
    await using agent = createAgent({
      hostname: 'sender.test',
      tls: { caFile: relay.caFile },
      relay: { host: relay.mta.ip, ...login },
      delivery: { perSite: 1 },
    })
    const addresses = (users: readonly string[]) => users.map((user) => `${user}@postfix.test`)
    const strangers = crowd.map((user) => `not-${user}`)
    const to = addresses([...crowd, ...strangers])
    const report = await agent.send({ from: 'a@sender.test', to, text: 'x' })
    expect(report.counts).toEqual({ delivered: crowd.length, deferred: 0, failed: strangers.length })
    for (const user of crowd) expect(await relay.mta.waitForMail(user, 1)).toHaveLength(1)
    expect(relay.mta.log()).toMatch(new RegExp(`nrcpt=${recipientLimit} `))
    // And than it refuses in one session.
    expect(relay.mta.log()).toContain('too many errors after RCPT')
  })

  test('takes what the daemon and sendmail queue; a wrong password keeps it until the right one is there', async () => {
    await using relay = await postfixRelay.start()
    const directory = await temporaryDirectory()
    const secret = path.join(directory, 'relay.secret')
    await writeFile(secret, 'wrong\n')
    const env = {
      MXPRESS_TLS_CA_FILE: relay.caFile,
      MXPRESS_RELAY_HOST: relay.mta.ip,
      MXPRESS_RELAY_USER: known.user,
      MXPRESS_RELAY_PASSWORD_FILE: secret,
      MXPRESS_LOG_FILE: path.join(directory, 'mxpress.log'),
    }
    await using daemon = await serve({ args: ['--hostname', 'sender.test'], env })
    const transport = createTransport({ host: '127.0.0.1', port: daemon.port, ignoreTLS: true })
    await transport.sendMail({ from: 'alice@sender.test', to: 'queued@postfix.test', text: 'queued' })
    transport.close()
    await runProgram(daemon.sendmail, ['handed@postfix.test'], {
      cwd: daemon.cwd,
      stdin: 'Subject: handed\n\nhanded\n',
    })
    const waiting = await eventually(
      () => queueOf(daemon.cwd),
      (entries) => entries.length === 2 && entries.some(({ diagnostic }) => diagnostic !== null),
    )
    expect(waiting.map(({ state }) => state)).toEqual(['ready', 'ready'])
    expect(waiting.find(({ diagnostic }) => diagnostic !== null)?.diagnostic).toMatch(/^535 5\.7\.8 /)
    await writeFile(secret, `${known.password}\n`)
    await run(['queue', 'retry', '--all'], { cwd: daemon.cwd })
    await relay.mta.waitForMail('queued', 1)
    await relay.mta.waitForMail('handed', 1)
    await eventually(
      () => queueOf(daemon.cwd),
      (entries) => entries.length === 0,
    )
  })
})
