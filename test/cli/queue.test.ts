import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { fillQueue, newQueueDir, settleAll, trouble, withQueue } from './queued.ts'
import { emptyDirectory, type Finished, run } from './run.ts'

const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

async function filledQueue(): Promise<string> {
  const dir = await newQueueDir()
  await fillQueue(dir, [
    { to: ['bob@example.test', 'carol@example.net'] },
    { to: ['dave@example.test'], from: 'erin@sender.test', messageId: '<2@sender.test>' },
    { to: ['alice@sender.test'], from: '<>', messageId: '<3@sender.test>' },
  ])
  return dir
}

const queue = (dir: string, ...args: readonly string[]): Promise<Finished> =>
  run(['queue', ...args, '--queue', dir])

const recipientsOf = async (dir: string, ...args: readonly string[]): Promise<string[]> => {
  const { stdout } = await queue(dir, 'list', '--json', ...args)
  return JSON.parse(stdout).entries.map(({ recipient }: { recipient: string }) => recipient)
}

describe('queue list', () => {
  test('--json gives counts and entries in the form of the contract', async () => {
    const dir = await filledQueue()
    await settleAll(dir, 'deferred', trouble('450 4.2.0 greylisted'))
    const { code, stdout, stderr } = await queue(dir, 'list', '--json', '--to', 'bob@example.test')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      counts: { ready: 4, leased: 0, held: 0, dead: 0 },
      entries: [
        {
          id: expect.stringMatching(/^[0-9A-Z]+-1$/),
          messageId: '<1@sender.test>',
          recipient: 'bob@example.test',
          reversePath: 'alice@sender.test',
          state: 'ready',
          uncertain: true,
          attempts: 1,
          dueAt: iso,
          expiresAt: iso,
          diagnostic: '450 4.2.0 greylisted',
        },
      ],
    })
  })

  test('people get a table with what servers said escaped, and a count', async () => {
    const dir = await filledQueue()
    await settleAll(dir, 'deferred')
    const { code, stdout } = await queue(dir, 'list')
    expect(code).toBe(0)
    const lines = stdout.split('\n')
    expect(lines[0]).toMatch(/^id +state +tries +next +from +to +last said$/)
    expect(lines[1]).toMatch(
      /^\S+-1 +ready\? +1 +in (60m|1h) +alice@sender\.test +bob@example\.test +450 4\.2\.0 \\x1b\[31mgreylisted\\x9b$/,
    )
    expect(lines[4]).toMatch(/ <> +alice@sender\.test /)
    expect(lines.at(-2)).toBe('4 entries: 4 ready, 0 leased, 0 held, 0 dead')
  })

  test.each([
    [
      ['--domain', 'EXAMPLE.test'],
      ['bob@example.test', 'dave@example.test'],
    ],
    [['--from', 'erin@sender.test'], ['dave@example.test']],
    [['--from', '<>'], ['alice@sender.test']],
    [['--to', 'carol@example.net'], ['carol@example.net']],
    [['--state', 'held'], []],
  ])('%j selects', async (args, expected) => {
    expect(await recipientsOf(await filledQueue(), ...args)).toEqual(expected)
  })

  test('--dead shows the reports that could not be delivered', async () => {
    const dir = await newQueueDir()
    await fillQueue(dir, [{ to: ['gone@example.test'], from: '<>' }])
    await settleAll(dir, 'dead')
    await fillQueue(dir, [{ to: ['bob@example.test'] }])
    expect(await recipientsOf(dir, '--dead')).toEqual(['gone@example.test'])
  })

  test('more than a page is printed as one document', async () => {
    const dir = await newQueueDir()
    await fillQueue(dir, [{ to: Array.from({ length: 1_203 }, (_, index) => `user${index}@example.test`) }])
    const recipients = await recipientsOf(dir)
    expect(recipients).toHaveLength(1_203)
    expect(new Set(recipients).size).toBe(1_203)
    const { stdout } = await queue(dir, 'list')
    expect(stdout.match(/last said/g)).toHaveLength(1)
    expect(stdout.match(/@example\.test/g)).toHaveLength(1_203)
  })

  test('an empty queue', async () => {
    const dir = await newQueueDir()
    await fillQueue(dir, [])
    expect(await queue(dir, 'list')).toEqual({ code: 0, stdout: 'The queue is empty.\n', stderr: '' })
    expect(JSON.parse((await queue(dir, 'list', '--json')).stdout)).toEqual({
      counts: { ready: 0, leased: 0, held: 0, dead: 0 },
      entries: [],
    })
  })
})

describe('queue show', () => {
  test('--json adds every attempt, with the targets in the form of the send report', async () => {
    const dir = await newQueueDir()
    await fillQueue(dir, [{ to: ['bob@example.test'] }])
    await settleAll(dir, 'deferred', trouble('450 4.2.0 greylisted'))
    const [id = ''] = await withQueue(dir, async (store) =>
      (await store.list({ selector: { kind: 'all' }, limit: 1 })).entries.map((entry) => entry.id),
    )
    const { code, stdout } = await queue(dir, 'show', id, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      id,
      size: 99,
      createdAt: iso,
      history: [
        {
          number: 1,
          startedAt: iso,
          outcome: 'deferred',
          status: '4.2.0',
          stage: 'rcpt',
          diagnostic: '450 4.2.0 greylisted',
          reply: { code: 450, status: '4.2.0', lines: ['greylisted'] },
          attempts: [{ exchanger: 'mx.example.test', ip: '192.0.2.1', port: 25, stage: 'rcpt', tls: null }],
        },
      ],
    })
    // The message has one recipient: its own id will do.
    const people = await queue(dir, 'show', id.replace(/-1$/, ''))
    expect(people.stdout).toMatch(/^entry {6}\S+-1\nstate {6}ready \(uncertain: .*\)\n/)
    expect(people.stdout).toMatch(/\nAttempt 1, .*: deferred, 4\.2\.0 at rcpt: 450 4\.2\.0 greylisted\n/)
    expect(people.stdout).toMatch(/\n {2}mx\.example\.test \[192\.0\.2\.1\]:25 0\.01 s: 4\.2\.0 at rcpt: /)
  })

  test('a message with several recipients asks which', async () => {
    const dir = await filledQueue()
    const { code, stderr } = await queue(dir, 'show', '0001')
    expect(code).toBe(64)
    expect(stderr).toBe('mxpress: 0001 has several recipients; expected one of 0001-1, 0001-2, …\n')
  })

  test.each(['ZZZ', 'no id at all', '0001-9'])('%j is not there', async (id) => {
    const { code, stdout, stderr } = await queue(await filledQueue(), 'show', id)
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' })
    expect(stderr).toContain(`there is no entry ${id} in the queue`)
  })
})

describe('steering', () => {
  test('hold, release and cancel change what is selected and nothing else', async () => {
    const dir = await filledQueue()
    expect(await queue(dir, 'hold', '--domain', 'example.test', '--json')).toEqual({
      code: 0,
      stdout: '{\n  "changed": 2,\n  "leased": 0\n}\n',
      stderr: '',
    })
    expect(await recipientsOf(dir, '--state', 'held')).toEqual(['bob@example.test', 'dave@example.test'])
    expect(await queue(dir, 'release', '--to', 'bob@example.test')).toMatchObject({
      code: 0,
      stdout: '1 entry released\n',
    })
    expect(await queue(dir, 'cancel', '0001', '--from', '<>')).toMatchObject({
      code: 0,
      stdout: '3 entries cancelled\n',
    })
    expect(await recipientsOf(dir)).toEqual(['dave@example.test'])
  })

  test('retry --all makes everything due now, the dead too', async () => {
    const dir = await newQueueDir()
    await fillQueue(dir, [{ to: ['gone@example.test'], from: '<>' }])
    await settleAll(dir, 'dead')
    await fillQueue(dir, [{ to: ['bob@example.test'] }])
    await settleAll(dir, 'deferred')
    expect(await queue(dir, 'retry', '--all')).toMatchObject({ code: 0, stdout: '2 entries due now\n' })
    const { stdout } = await queue(dir, 'list')
    expect(stdout).toMatch(/ready +1 +now +<> +gone@example\.test/)
    expect(stdout).toMatch(/ready\? +1 +now +alice@sender\.test +bob@example\.test/)
  })

  test('an entry that is being delivered is left alone: 75 where it should have been stopped', async () => {
    const dir = await newQueueDir()
    await fillQueue(dir, [{ to: ['bob@example.test'] }])
    await withQueue(dir, async (store) => {
      const now = Date.now()
      await store.lease({ owner: 'x', now, until: now + 60_000, max: 1, perSite: 1, room: new Map() })
    })
    expect(await queue(dir, 'cancel', '--all')).toEqual({
      code: 75,
      stdout: '0 entries cancelled\n',
      stderr: '1 entry left alone: being delivered just now\n',
    })
    expect(await queue(dir, 'retry', '--all')).toMatchObject({ code: 0 })
  })

  test('one id that names nothing, and nothing is changed', async () => {
    const dir = await filledQueue()
    expect(await queue(dir, 'cancel', '0001-1', 'ZZZ')).toMatchObject({ code: 69, stdout: '' })
    expect(await recipientsOf(dir)).toHaveLength(4)
  })
})

test('queue stats counts by state and site', async () => {
  const dir = await filledQueue()
  const { code, stdout } = await queue(dir, 'stats', '--json')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    counts: { ready: 4, leased: 0, held: 0, dead: 0 },
    submissions: 3,
    oldestReadyAt: iso,
    nextDueAt: iso,
    sites: expect.arrayContaining([
      { site: expect.stringContaining('example.test'), ready: 2, trouble: null },
    ]),
  })
  const people = await queue(dir, 'stats')
  expect(people.stdout).toMatch(
    /^4 entries: 4 ready, .*\n3 messages\nThe oldest has waited for \d+s\nNext try: now\n/,
  )
  expect(people.stdout).toMatch(/\nexample\.test +2\n/)
})

describe('what is wrong with the call', () => {
  test('a directory without a queue is no empty queue, and none is made', async () => {
    const dir = path.join(await emptyDirectory(), 'queue')
    const { code, stdout, stderr } = await queue(dir, 'list')
    expect({ code, stdout }).toEqual({ code: 73, stdout: '' })
    expect(stderr).toBe(`mxpress: There is no queue in ${dir}\n`)
    expect(existsSync(dir)).toBe(false)
  })

  test('the directory is that of the configuration', async () => {
    const dir = await filledQueue()
    const { code, stdout } = await run(['queue', 'list', '--from', 'erin@sender.test'], {
      cwd: path.dirname(dir),
      env: { MXPRESS_QUEUE_DIR: path.basename(dir) },
    })
    expect(code).toBe(0)
    expect(stdout).toContain('dave@example.test')
  })

  test.each([
    [['retry'], 'expected an id, --domain, --from, --to or --all'],
    [['cancel', '0001', '--all'], '--all leaves nothing else to select'],
    [['list', '--domain', 'a.test', '--domain', 'b.test'], 'expected one of --domain, --from and --to'],
    [['list', '--to', 'nobody'], "'nobody' is invalid"],
    [['list', '--state', 'asleep'], 'Allowed choices are ready, leased, held, dead'],
    [['list', '--queue', ''], 'Expected `--queue` to be the path of a directory'],
    [['show'], "missing required argument 'id'"],
    [['show', '0001', '0002'], "unexpected argument '0002'"],
    [['fly'], "unknown command 'fly'"],
    [[], 'Usage: mxpress queue'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await run(['queue', ...args])
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' })
    expect(stderr).toContain(message)
  })
})
