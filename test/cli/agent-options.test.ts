import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type AgentOptionValues, readAgentOptions } from '../../src/cli/agent-options.ts'
import { UsageError } from '../../src/cli/errors.ts'
import { ConfigError } from '../../src/config/errors.ts'
import { emptyDirectory } from './run.ts'

let config: string

beforeEach(async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('MXPRESS_')) vi.stubEnv(name, undefined)
  config = path.join(await emptyDirectory(), 'mxpress.toml')
  await writeFile(config, '')
})
afterEach(() => vi.unstubAllEnvs())

test('without options there is a log in the working directory and nothing else', async () => {
  expect(await readAgentOptions({ config })).toEqual({
    dns: {},
    smtp: {},
    delivery: {},
    queue: {},
    submission: {},
    tls: {},
    log: { file: 'mxpress.log' },
  })
})

test('every option has its key', async () => {
  const options = await readAgentOptions({
    config,
    hostname: 'mail.sender.test',
    dns: ['127.0.0.1:5353', '192.0.2.53'],
    port: 2525,
    route: [['example.test', '10.0.0.5:2525']],
    concurrency: 7,
    perSite: 3,
    tls: 'required',
    allowLocalAddresses: true,
    log: 'x.log',
    logFormat: 'json',
  })
  expect(options).toEqual({
    hostname: 'mail.sender.test',
    dns: { servers: ['127.0.0.1:5353', '192.0.2.53'] },
    smtp: { port: 2525, allowLocalAddresses: true },
    routes: { 'example.test': '10.0.0.5:2525' },
    delivery: { concurrency: 7, perSite: 3 },
    queue: {},
    submission: {},
    tls: { mode: 'required' },
    log: { file: 'x.log', format: 'json' },
  })
})

test('the command line wins over variables, these over the file', async () => {
  await writeFile(
    config,
    '[delivery]\nconcurrency = 1\nperSite = 1\nmaxTargets = 1\n[log]\nfile = "configured.log"\n',
  )
  vi.stubEnv('MXPRESS_DELIVERY_CONCURRENCY', '2')
  vi.stubEnv('MXPRESS_DELIVERY_PER_SITE', '2')
  expect(await readAgentOptions({ config, concurrency: 3 })).toEqual({
    delivery: { concurrency: 3, perSite: 2, maxTargets: 1 },
    dns: {},
    smtp: {},
    queue: {},
    submission: {},
    tls: {},
    log: { file: 'configured.log' },
  })
})

const mistakes: readonly (readonly [AgentOptionValues, string])[] = [
  [{ hostname: 'localhost' }, 'Expected `--hostname` to be '],
  [{ dns: ['ns1.example.test'] }, 'Expected `--dns` to be '],
  [{ route: [['example.test', 'a b']] }, 'Expected `--route example.test` to be '],
  [
    { route: [['example..test', '10.0.0.5']] },
    'Expected `--route` to be keyed by domains, got `example..test`',
  ],
  [{ route: [['example.test', 'mx..test']] }, 'got `mx..test`'],
]

test.each(mistakes)(
  'a wrong value is a usage error under the name of its option: %o',
  async (values, message) => {
    const error = await readAgentOptions({ config, ...values }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toContain(message)
  },
)

test('a wrong file is a configuration error that names file, line and key', async () => {
  await writeFile(config, '[delivery]\nperSight = 1\n')
  const error = await readAgentOptions({ config }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as Error).message).toContain(`${config}:2: Unknown option \`delivery.perSight\``)
})

test.each(['"x y" = "10.0.0.5"', '"example.test" = "mx..test"'])(
  'a route that is none is a configuration error too: %s',
  async (line) => {
    await writeFile(config, `[routes]\n${line}\n`)
    await expect(readAgentOptions({ config })).rejects.toThrow(ConfigError)
  },
)
