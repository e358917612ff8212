import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import os, { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type AgentOptions,
  createAgent,
  type DialogueLine,
  type Log,
  type LogEvent,
  parseAddress,
} from '../src/index.ts'
import { LogFileError } from '../src/log/errors.ts'
import { startSandbox } from '../src/sandbox/sandbox.ts'
import { fakeResolver } from './support/fake-resolver.ts'

const sandbox = await startSandbox({ removeMail: true, slowSeconds: 0.1 })
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mxpress-agent-'))
})

afterAll(async () => {
  await sandbox.close()
  await rm(directory, { recursive: true })
})

const mail = { from: 'alice@sender.test', to: 'bob@accepts.test', subject: 'Hi', text: 'Hello\n' }
const options = (rest: AgentOptions = {}): AgentOptions => ({ ...sandbox.agentOptions, ...rest })

const connections = () =>
  [...sandbox.statistics.exchangers.values()].reduce((sum, { connections }) => sum + connections, 0)

/** Runs it and sees that nobody was asked or connected to. */
async function expectSilence(act: () => Promise<void>): Promise<void> {
  const before = { connections: connections(), queries: new Map(sandbox.statistics.queries) }
  await act()
  expect({ connections: connections(), queries: new Map(sandbox.statistics.queries) }).toEqual(before)
}

describe('wrong options are said at once, by name:', () => {
  test.each([
    [{ delivery: { perSite: 0 } }, 'Expected `delivery.perSite` to be a whole number from 1, got `0`'],
    [{ hostname: 'localhost' }, 'Expected `hostname` to be'],
    [{ timeouts: { greeting: 'soon' } }, 'Expected `timeouts.greeting` to be'],
    [{ tls: { mode: 'maybe' } }, 'Expected `tls.mode` to be one of'],
    [{ perSite: 3 }, 'Unknown option `perSite`; did you mean `delivery.perSite`?'],
    [{ routes: { 'a.test': 'host:port' } }, 'Expected `routes."a.test"` to be'],
    [{ sourceAddresses: ['nowhere'] }, 'Expected `sourceAddresses[0]` to be'],
  ])('%j', (wrong, words) => {
    expect(() => createAgent(wrong as AgentOptions)).toThrow(TypeError)
    expect(() => createAgent(wrong as AgentOptions)).toThrow(words)
  })
})

describe('before anything is connected to,', () => {
  test('a host without a name in DNS is told to set `hostname`', async () => {
    vi.spyOn(os, 'hostname').mockReturnValue('localhost')
    vi.stubEnv('PATH', directory)
    const { hostname: _, ...nameless } = options()
    await using agent = createAgent(nameless)
    await expectSilence(async () => {
      await expect(agent.send(mail)).rejects.toMatchObject({
        name: 'ConfigError',
        message: expect.stringContaining('Set `hostname`'),
      })
    })
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })

  test('a log that cannot be written is found out, and the agent can be used once it can', async () => {
    const file = join(directory, 'missing', 'mxpress.log')
    await using agent = createAgent(options({ log: { file } }))
    await expectSilence(async () => {
      await expect(agent.send(mail)).rejects.toMatchObject({ name: 'LogFileError', file })
    })
    await mkdir(join(directory, 'missing'))
    expect(await agent.send(mail)).toMatchObject({ counts: { delivered: 1 } })
    expect(existsSync(file)).toBe(true)
  })

  test.each([
    ['that is missing', 'no-such.pem', null],
    ['that holds no certificate', 'garbage.pem', 'hello\n'],
  ])('a `tls.caFile` %s is found out', async (_what, name, content) => {
    const caFile = join(directory, name)
    if (content !== null) await writeFile(caFile, content)
    await using agent = createAgent(options({ tls: { caFile } }))
    await expectSilence(async () => {
      await expect(agent.send(mail)).rejects.toMatchObject({
        name: 'ConfigError',
        message: expect.stringContaining(
          `\`tls.caFile\` to name a readable file of PEM certificates, found ${caFile}`,
        ),
      })
    })
  })

  test.each([
    ['a malformed recipient', { ...mail, to: 'bob at accepts.test' }, 'AddressError', 'bob at accepts.test'],
    [
      'an address with a line end',
      { ...mail, to: 'bob@accepts.test\r\nRCPT TO:<eve@a.test>' },
      'AddressError',
      '',
    ],
    ['a malformed reverse-path', { ...mail, envelopeFrom: 'alice' }, 'AddressError', 'alice'],
    [
      'an unreadable attachment',
      { ...mail, attachments: [{ path: '/no/such/file' }] },
      'AttachmentError',
      '/no/such/file',
    ],
    ['no recipient', { from: mail.from, text: 'Hi' }, 'MessageError', 'recipient'],
    ['no author', { to: mail.to, text: 'Hi' }, 'MessageError', 'nobody in From'],
  ])('%s is found out', async (_what, wrong, name, words) => {
    await using agent = createAgent(options())
    await expectSilence(async () => {
      await expect(agent.send(wrong)).rejects.toMatchObject({ name, message: expect.stringContaining(words) })
    })
  })
})

describe('send', () => {
  test('gives the report of contract.md', async () => {
    const caFile = join(directory, 'ca.pem')
    await writeFile(caFile, sandbox.ca)
    await using agent = createAgent(options({ tls: { caFile } }))
    const report = await agent.send({ ...mail, cc: 'nobody@null-mx.test', bcc: 'carol@mailbox-full.test' })
    expect(report).toEqual({
      messageId: expect.stringMatching(/^<[^<>@]+@sender\.test>$/),
      reversePath: 'alice@sender.test',
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      durationMs: expect.any(Number),
      counts: { delivered: 1, deferred: 1, failed: 1 },
      recipients: [
        expect.objectContaining({
          address: 'bob@accepts.test',
          field: 'to',
          outcome: 'delivered',
          exchanger: 'mx.accepts.test',
          port: sandbox.port,
          tls: expect.objectContaining({ protocol: 'TLSv1.3', verified: true, reason: null }),
        }),
        expect.objectContaining({
          address: 'nobody@null-mx.test',
          field: 'cc',
          outcome: 'failed',
          status: '5.1.10',
        }),
        expect.objectContaining({
          address: 'carol@mailbox-full.test',
          field: 'bcc',
          outcome: 'deferred',
          status: '4.2.2',
        }),
      ],
    })
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })

  test('tells of each recipient as soon as its outcome is known', async () => {
    await using agent = createAgent(options())
    const told: string[] = []
    const report = await agent.send(
      { ...mail, to: 'slow@slow.test, bob@null-mx.test' },
      { onOutcome: ({ address }) => told.push(address) },
    )
    expect(told).toEqual(['bob@null-mx.test', 'slow@slow.test'])
    // The report keeps the order of the envelope.
    expect(report.recipients.map(({ address }) => address)).toEqual(['slow@slow.test', 'bob@null-mx.test'])
  })

  test('what `onOutcome` throws rejects, and stops what has not begun', async () => {
    await using agent = createAgent(options())
    const sending = agent.send(mail, {
      onOutcome: () => {
        throw new Error('enough')
      },
    })
    await expect(sending).rejects.toThrow('enough')
  })

  test('the null reverse-path is an empty string', async () => {
    await using agent = createAgent(options())
    expect(await agent.send({ ...mail, envelopeFrom: null })).toMatchObject({
      reversePath: '',
      counts: { delivered: 1 },
    })
  })

  test('two at once share the sessions of a site', async () => {
    const events: LogEvent[] = []
    await using agent = createAgent(options({ delivery: { perSite: 1 } }), { log: collecting(events) })
    await Promise.all([agent.send(mail), agent.send({ ...mail, to: 'carol@accepts.test' })])
    expect(events.filter(({ kind }) => kind === 'connection')).toHaveLength(1)
  })

  test('after an abort every recipient has been told of, and it rejects with the reason', async () => {
    await using agent = createAgent(options())
    const told: string[] = []
    const to = ['bob@accepts.test', 'carol@no-tls.test', 'dave@null-mx.test']
    const sending = agent.send(
      { ...mail, to },
      {
        signal: AbortSignal.abort('enough'),
        onOutcome: ({ address, status }) => told.push(`${address} ${status}`),
      },
    )
    await expect(sending).rejects.toBe('enough')
    expect(told).toEqual(to.map((address) => `${address} 4.3.2`))
  })
})

function collecting(events: LogEvent[]): Log {
  return {
    write: (event) => events.push(event),
    flush: async () => {},
    reopen: () => {},
    close: async () => {
      throw new Error('the caller closes it')
    },
  }
}

describe('deliver', () => {
  test('takes a message that was prepared, again and again', async () => {
    await using agent = createAgent(options())
    const { message, envelope } = await agent.prepare(mail)
    for (let time = 0; time < 2; time++) {
      const kinds: string[] = []
      for await (const { kind } of agent.deliver(message, envelope)) kinds.push(kind)
      expect(kinds).toEqual(['delivered'])
    }
  })

  test('prepare sends nothing', async () => {
    await using agent = createAgent(options())
    await expectSilence(async () => {
      const { envelope } = await agent.prepare({ ...mail, bcc: 'carol@accepts.test' })
      expect(envelope).toMatchObject({
        reversePath: parseAddress('alice@sender.test'),
        recipients: [{ field: 'to' }, { field: 'bcc' }],
      })
    })
  })

  test('refuses a message whose size is not that of its content, and connects to nobody', async () => {
    await using agent = createAgent(options())
    const { message, envelope } = await agent.prepare(mail)
    const octets = message.content?.length ?? 0
    await expectSilence(async () => {
      const cut = agent.deliver({ ...message, size: octets - 1 }, envelope)
      await expect(cut.next()).rejects.toThrow(
        new TypeError(
          `Expected \`message.size\` to be the octets of \`message.content\`, ${octets}, got \`${octets - 1}\``,
        ),
      )
    })
  })

  test('starts when the first outcome is asked for', async () => {
    await using agent = createAgent(options())
    const { message, envelope } = await agent.prepare(mail)
    await expectSilence(async () => {
      const never = agent.deliver(message, envelope)
      await never.return?.()
      expect(await never.next()).toEqual({ done: true, value: undefined })
    })
  })
})

describe('plan', () => {
  test('says where an envelope would go and connects to nobody', async () => {
    await using agent = createAgent(options())
    const { envelope } = await agent.prepare({
      ...mail,
      to: 'bob@second-exchanger.test, eve@no-such-domain.test',
    })
    const before = connections()
    expect(await agent.plan(envelope)).toMatchObject([
      {
        address: 'bob@second-exchanger.test',
        exchangers: [{ host: 'mx1.second-exchanger.test' }, { host: 'mx2.second-exchanger.test' }],
        failure: null,
      },
      { address: 'eve@no-such-domain.test', exchangers: [], failure: { outcome: 'failed', status: '5.1.2' } },
    ])
    expect(connections()).toBe(before)
  })
})

describe('close', () => {
  test('waits for what is sent, ends the sessions with QUIT, and may be called again', async () => {
    const before = sandbox.statistics.exchangers.get('mx.slow.test')
    const agent = createAgent(options())
    const sending = agent.send({ ...mail, to: 'bob@slow.test' })
    await Promise.all([agent.close(), agent.close()])
    const after = sandbox.statistics.exchangers.get('mx.slow.test')
    expect(await sending).toMatchObject({ counts: { delivered: 1 } })
    expect(after?.quits).toBe((before?.quits ?? 0) + 1)
    await agent.close()
  })

  test('a second call waits as long as the first', async () => {
    const agent = createAgent(options())
    await agent.send(mail)
    const order: string[] = []
    await Promise.all([
      agent.close().then(() => order.push('first')),
      agent.close().then(() => order.push('second')),
    ])
    expect(order).toEqual(['first', 'second'])
  })

  test('nothing is sent afterwards', async () => {
    const agent = createAgent(options())
    const { message, envelope } = await agent.prepare(mail)
    await agent.close()
    await expectSilence(async () => {
      await expect(agent.send(mail)).rejects.toThrow('The agent is closed')
      await expect(agent.prepare(mail)).rejects.toThrow('The agent is closed')
      await expect(agent.plan(envelope)).rejects.toThrow('The agent is closed')
      await expect(agent.deliver(message, envelope).next()).rejects.toThrow('The agent is closed')
    })
  })

  test('leaving the block of `await using` is closing', async () => {
    let kept: ReturnType<typeof createAgent>
    {
      await using agent = createAgent(options())
      kept = agent
    }
    await expect(kept.send(mail)).rejects.toThrow('The agent is closed')
  })

  test('an agent that never sent, or could not, closes too', async () => {
    await expect(createAgent(options()).close()).resolves.toBeUndefined()
    const broken = createAgent(options({ log: { file: join(directory, 'no', 'log') } }))
    await expect(broken.send(mail)).rejects.toThrow(LogFileError)
    await expect(broken.close()).resolves.toBeUndefined()
  })
})

describe('the log file', () => {
  test('has exactly one line per recipient that states its outcome, in both formats', async () => {
    const to = ['bob@accepts.test', 'bob@null-mx.test', 'bob@tries-later.test', 'bob@second-exchanger.test']
    const [classic, json] = [join(directory, 'classic.log'), join(directory, 'json.log')]
    for (const [file, format] of [
      [classic, 'classic'],
      [json, 'json'],
    ] as const) {
      await using agent = createAgent(options({ log: { file, format } }))
      await agent.send({ ...mail, to })
    }
    const events = (await readFile(json, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const verdicts = events.filter(({ kind, outcome }) => kind === 'verdict' && outcome !== 'retrying')
    expect(verdicts.map(({ to: who, outcome }) => `${who} ${outcome}`).toSorted()).toEqual([
      'bob@accepts.test delivered',
      'bob@null-mx.test failed',
      'bob@second-exchanger.test delivered',
      'bob@tries-later.test deferred',
    ])
    expect(events.filter(({ outcome }) => outcome === 'retrying').map(({ to: who }) => who)).toEqual([
      'bob@tries-later.test',
    ])
    const lines = (await readFile(classic, 'utf8')).trimEnd().split('\n')
    const stated = lines.filter((line) => /outcome=(delivered|deferred|failed)/.test(line))
    expect(stated.map((line) => /to=<([^>]*)>/.exec(line)?.[1]).toSorted()).toEqual(to.toSorted())
  })

  test('is opened anew under its name when asked, as logrotate wants it', async () => {
    const file = join(directory, 'rotated.log')
    await using agent = createAgent(options({ log: { file } }))
    await agent.send(mail)
    await rename(file, `${file}.1`)
    agent.reopenLog()
    await agent.send({ ...mail, to: 'carol@accepts.test' })
    await agent.close()
    expect(await readFile(`${file}.1`, 'utf8')).toContain('to=<bob@accepts.test>')
    expect(await readFile(file, 'utf8')).toContain('to=<carol@accepts.test>')
  })

  test('never holds the message', async () => {
    const file = join(directory, 'secrets.log')
    await using agent = createAgent(options({ log: { file, format: 'json' } }))
    await agent.send({ ...mail, subject: 'xyzzy-subject', text: 'xyzzy-body' })
    await agent.close()
    expect(await readFile(file, 'utf8')).not.toContain('xyzzy')
  })
})

describe('seams:', () => {
  test('a resolver of one’s own is asked instead of the name servers, once per question', async () => {
    const resolver = fakeResolver({
      mx: { 'a.test': [[10, 'mx.a.test']] },
      a: { 'mx.a.test': ['127.0.0.1'] },
    })
    const { dns: _, ...rest } = options()
    await using agent = createAgent({ ...rest, smtp: { port: 1, allowLocalAddresses: true } }, { resolver })
    await agent.send({ ...mail, to: 'bob@a.test' })
    await agent.send({ ...mail, to: 'carol@a.test' })
    expect([...resolver.queries].toSorted()).toEqual(['A mx.a.test', 'AAAA mx.a.test', 'MX a.test'])
  })

  test('a log of one’s own gets the events and is not closed', async () => {
    const events: LogEvent[] = []
    const agent = createAgent(options(), { log: collecting(events) })
    await agent.send(mail)
    await agent.close()
    expect(new Set(events.map(({ kind }) => kind))).toEqual(
      new Set(['lookup', 'trying', 'tls', 'connection', 'verdict', 'session-end']),
    )
  })

  test('`trace` shows every line of the dialogue, both sides, and never the content', async () => {
    const lines: DialogueLine[] = []
    await using agent = createAgent(options(), { trace: (line) => lines.push(line) })
    await agent.send({
      ...mail,
      to: ['bob@no-pipelining.test', 'bob@chunking.test'],
      subject: 'xyzzy',
      text: 'xyzzy',
    })
    await agent.close()
    const sessions = Map.groupBy(lines, ({ session }) => session)
    expect(sessions.size).toBe(2)
    for (const dialogue of sessions.values()) {
      const shown = dialogue.map(({ direction, text }) => `${direction === 'client' ? 'C' : 'S'}: ${text}`)
      expect(shown[0]).toMatch(/^S: 220 mx\./)
      expect(shown[1]).toBe('C: EHLO sender.test')
      expect(shown).toContain('C: STARTTLS')
      expect(shown).toContain('C: MAIL FROM:<alice@sender.test>'.concat(sizeOf(shown)))
      expect(shown.some((line) => /^C: \[\d+ octets of content\]$/.test(line))).toBe(true)
      expect(shown.some((line) => /^S: 250 2\.\d\.\d Ok: queued as/.test(line))).toBe(true)
      expect(shown.slice(-2)).toEqual(['C: QUIT', expect.stringMatching(/^S: 221/)])
      expect(shown.join('\n')).not.toContain('xyzzy')
      expect(new Set(dialogue.map(({ target }) => target)).size).toBe(1)
      expect(dialogue[0]?.target).toMatch(/^mx\.[a-z-]+\.test \[127\.25\.\d+\.\d+\]:\d+$/)
    }
  })
})

/** The parameters of the MAIL command shown, which depend on the length of the message. */
function sizeOf(shown: readonly string[]): string {
  return (
    shown.flatMap((line) => /^C: MAIL FROM:<alice@sender\.test>( SIZE=\d+)$/.exec(line)?.[1] ?? [])[0] ?? ''
  )
}
