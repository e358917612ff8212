import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config/file.ts'
import { optionList } from '../../src/config/option-list.ts'
import { dkimKeys } from '../../src/config/schema.ts'
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
    routes,
    dkim,
    tls: { caFile, ...tls } = {},
    log: { file, ...log } = {},
    ...others
  } = shown
  const { certFile, keyFile, usersFile, ...submission } = others.submission ?? {}
  expect(resolveSettings({ ...others, tls, log, submission })).toEqual(resolveSettings())
  expect([certFile, keyFile, usersFile].map((name) => name?.startsWith('/etc/mxpress/'))).toEqual(
    Array(3).fill(true),
  )
  expect([hostname, routes, caFile, file]).toEqual([
    'mail.example.org',
    { 'example.org': '10.0.0.5:2525' },
    'ca.pem',
    'mxpress.log',
  ])
  expect(Object.keys(dkim?.['example.org'] ?? {})).toEqual(dkimKeys)
  for (const { path } of optionList) expect(shown).toHaveProperty([...path])
})
