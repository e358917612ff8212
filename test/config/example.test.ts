import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config/file.ts'
import { optionList } from '../../src/config/option-list.ts'
import { dkimKeys } from '../../src/config/schema-dkim.ts'
import { resolveSettings } from '../../src/config/settings.ts'

const example = await readFile(new URL('../../config/mxpress.example.toml', import.meta.url), 'utf8')

/** Every key set, as if its reader had removed each `#` that stands right before a key. */
const uncommented = example.replace(/^#(?=["\w[])/gm, '')

test('the example changes nothing as it is', () => {
  expect(resolveSettings(parseConfig(example, 'example'))).toEqual(resolveSettings())
})

test('the example shows every option, with its default or as one that has none', () => {
  const shown = parseConfig(uncommented, 'example')
  const {
    hostname,
    sourceHostnames,
    routes,
    dkim,
    tls: { caFile, ...tls } = {},
    log: { file, ...log } = {},
    ...others
  } = shown
  const { certFile, keyFile, usersFile, ...submission } = others.submission ?? {}
  const { relay, fallbackRelay, ...rest } = others
  const { domain, ...doctor } = others.doctor ?? {}
  expect(resolveSettings({ ...rest, tls, log, submission, doctor })).toEqual(resolveSettings())
  expect([certFile, keyFile, usersFile].map((name) => name?.startsWith('/etc/mxpress/'))).toEqual(
    Array(3).fill(true),
  )
  expect([hostname, routes, caFile, file, domain]).toEqual([
    'mail.example.org',
    {
      'example.org': '10.0.0.5:2525',
      '*.example.com': {
        host: 'smtp.example.com',
        user: 'me',
        passwordFile: '/etc/mxpress/example.com.secret',
      },
      'internal.example.net': 'direct',
    },
    'ca.pem',
    'mxpress.log',
    'example.org',
  ])
  expect(sourceHostnames).toEqual({ '192.0.2.1': 'mx1.example.org' })
  expect(Object.keys(dkim?.['example.org'] ?? {})).toEqual(dkimKeys)
  for (const { path } of optionList) expect(shown).toHaveProperty([...path])
})

test('the relays of the example differ from one that has a host and a login only in what has no default', () => {
  const { relay, fallbackRelay } = parseConfig(uncommented, 'example')
  const login = { host: 'smtp.example.net', user: 'me', passwordFile: '/etc/mxpress/relay.secret' }
  const { passwordEnv, passwordCredential, ...shown } = relay ?? {}
  const { passwordEnv: _env, passwordCredential: _credential, ...shownFallback } = fallbackRelay ?? {}
  expect([passwordEnv, passwordCredential]).toEqual(['RELAY_PASSWORD', 'relay'])
  expect(resolveSettings({ relay: shown })).toEqual(resolveSettings({ relay: login }))
  expect(resolveSettings({ fallbackRelay: shownFallback })).toEqual(resolveSettings({ fallbackRelay: login }))
})
