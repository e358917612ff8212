import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/errors.ts'
import { type LoadConfigOptions, loadConfig } from '../../src/config/file.ts'

let cwd: string
let systemFile: string
beforeEach(async () => {
  cwd = await mkdtemp(path.join(os.tmpdir(), 'mxpress-config-'))
  systemFile = path.join(cwd, 'etc.toml')
})
afterEach(() => rm(cwd, { recursive: true }))

const here = () => path.join(cwd, 'mxpress.toml')
const load = (options: LoadConfigOptions = {}) => loadConfig({ cwd, env: {}, systemFile, ...options })

describe('loadConfig', () => {
  test('no file is no options', async () => {
    expect(await load()).toEqual({ options: {}, file: null })
  })

  test('the file of the working directory wins over that of the system', async () => {
    await writeFile(systemFile, 'hostname = "etc.test"')
    expect(await load()).toEqual({ options: { hostname: 'etc.test' }, file: systemFile })
    await writeFile(here(), 'hostname = "here.test"')
    expect(await load()).toEqual({ options: { hostname: 'here.test' }, file: here() })
  })

  test('a named file is read instead of both', async () => {
    await writeFile(here(), 'hostname = "here.test"')
    await writeFile(path.join(cwd, 'other.toml'), '[smtp]\nport = 2525\n')
    expect(await load({ file: 'other.toml' })).toEqual({
      options: { smtp: { port: 2525 } },
      file: path.join(cwd, 'other.toml'),
    })
  })

  test('variables win over the file key by key', async () => {
    await writeFile(here(), '[delivery]\nperSite = 1\nconcurrency = 2\n')
    const { options } = await load({ env: { MXPRESS_DELIVERY_PER_SITE: '3' } })
    expect(options).toEqual({ delivery: { perSite: 3, concurrency: 2 } })
  })

  test('a byte order mark and CRLF line ends do not matter', async () => {
    await writeFile(here(), '\ufeffhostname = "here.test"\r\n[smtp]\r\nport = 26\r\n')
    expect((await load()).options).toEqual({ hostname: 'here.test', smtp: { port: 26 } })
  })
})

describe('a wrong file is an error that says where', () => {
  const complaint = (options?: LoadConfigOptions): Promise<unknown> =>
    load(options).then(
      () => null,
      (error: unknown) => (error instanceof ConfigError ? [error.code, error.message] : error),
    )

  test('a named file that does not exist', async () => {
    expect(await complaint({ file: 'none.toml' })).toEqual([
      'ERR_CONFIG',
      'Cannot read the configuration none.toml: there is no such file',
    ])
  })

  test('one that exists and cannot be read is not passed over', async () => {
    await mkdir(here())
    expect(await complaint()).toEqual([
      'ERR_CONFIG',
      `Cannot read the configuration ${here()}: EISDIR, it is a directory`,
    ])
  })

  test('text that is no TOML', async () => {
    await writeFile(here(), 'hostname = "a.test"\n\nport = = 3\n')
    expect(await complaint()).toEqual([
      'ERR_CONFIG',
      expect.stringMatching(/mxpress\.toml:3: Invalid TOML document: .+ \(column \d+\)$/),
    ])
  })

  test('a key that is set twice', async () => {
    await writeFile(here(), 'hostname = "a.test"\nhostname = "b.test"\n')
    expect(await complaint()).toEqual(['ERR_CONFIG', expect.stringMatching(/mxpress\.toml:2: .+/)])
  })

  test('wrong values and unknown keys, each with its line', async () => {
    await writeFile(
      here(),
      'hostname = "a.test"\n\n[delivery]\nperSite = 0\n# comment\npersites = 3\n[spool]\ndir = "queue"\n',
    )
    expect(await complaint({ file: './mxpress.toml' })).toEqual([
      'ERR_CONFIG',
      [
        './mxpress.toml:4: Expected `delivery.perSite` to be a whole number from 1, got `0`',
        './mxpress.toml:6: Unknown option `delivery.persites`; did you mean `delivery.perSite`?',
        './mxpress.toml:7: Unknown option `spool`',
      ].join('\n'),
    ])
  })

  test('a duration without its unit, which a program may pass and a person may mean otherwise', async () => {
    await writeFile(here(), '[timeouts]\nmail = 5\n')
    expect(await complaint({ file: './mxpress.toml' })).toEqual([
      'ERR_CONFIG',
      './mxpress.toml:2: Expected `timeouts.mail` to be written with its unit, such as "5m" or "10MB", got `5`',
    ])
  })

  test('a wrong variable', async () => {
    expect(await complaint({ env: { MXPRESS_SMTP_PORT: 'x' } })).toEqual([
      'ERR_CONFIG',
      'Expected `MXPRESS_SMTP_PORT` to be a whole number from 1 to 65535, got `"x"`',
    ])
  })
})
