import { expect, test } from 'vitest'
import { ConfigError } from '../../src/config/errors.ts'
import { systemHostname } from '../../src/config/hostname.ts'

const sources = (own: string, found: string | Error = '') => ({
  own: () => own,
  lookUp: async () => {
    if (typeof found === 'string') return found
    throw found
  },
})

test("the host's own name is taken when it is fully qualified, without a lookup", async () => {
  expect(await systemHostname(sources('Mail.Example.ORG', new Error('not to be asked')))).toBe(
    'mail.example.org',
  )
})

test('a single label is looked up', async () => {
  expect(await systemHostname(sources('mail', 'mail.example.org\n'))).toBe('mail.example.org')
})

test.each([
  ['localhost', 'localhost\n', 'localhost'],
  ['box', 'localhost.localdomain\n', 'localhost.localdomain'],
  ['box', 'box.local', 'box.local'],
  ['box', '192.0.2.1', '192.0.2.1'],
  ['box', new Error('hostname: Name or service not known'), 'box'],
  ['', '', ''],
])('%j, looked up as %s, is refused and the message says what to set', async (own, found, shown) => {
  await expect(systemHostname(sources(own, found))).rejects.toThrow(
    new ConfigError(
      `The system's host name ${JSON.stringify(shown)} is not a fully qualified domain name. ` +
        'Set `hostname` (in mxpress.toml, MXPRESS_HOSTNAME or --hostname) to the name that this host has in DNS.',
    ),
  )
})

test("the real system gives a name or that error, whatever the machine's name is", async () => {
  const result = await systemHostname().catch((error: unknown) => error)
  if (result instanceof ConfigError) expect(result.message).toContain('Set `hostname`')
  else expect(result).toMatch(/^[a-z0-9.-]+\.[a-z0-9-]+$/)
})
