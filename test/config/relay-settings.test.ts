import { describe, expect, test } from 'vitest'
import { readEnvironment } from '../../src/config/environment.ts'
import { parseConfig } from '../../src/config/file.ts'
import { resolveSettings } from '../../src/config/settings.ts'
import { complaint } from './complaint.ts'

describe('a relay', () => {
  test('is asked at the port of submission, by STARTTLS, with a certificate that is verified', () => {
    expect(resolveSettings({ relay: { host: 'smtp.example.net' } }).relay).toEqual({
      host: 'smtp.example.net',
      port: 587,
      isTlsImplicit: false,
      tlsMode: 'verified',
      login: null,
      recipientsPerTransaction: 50,
      domains: ['*'],
    })
  })

  test('at port 465 speaks TLS from the first octet on, unless told otherwise (RFC 8314 §3.3)', () => {
    const isImplicit = (relay: object) =>
      resolveSettings({ relay: { host: 'a.test', ...relay } }).relay?.isTlsImplicit
    expect(isImplicit({ port: 465 })).toBe(true)
    expect(isImplicit({ port: 465, implicitTls: false })).toBe(false)
    expect(isImplicit({ port: 4650, implicitTls: true })).toBe(true)
  })

  test("may be one domain's own, in the routes", () => {
    const own = { host: 'smtp.example.net', user: 'me', passwordEnv: 'SECRET' }
    expect(resolveSettings({ routes: { 'a.test': own } }).routes).toEqual({
      'a.test': {
        host: 'smtp.example.net',
        port: 587,
        isTlsImplicit: false,
        tlsMode: 'verified',
        login: {
          user: 'me',
          secret: { kind: 'variable', name: 'SECRET' },
          mechanisms: ['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN'],
          allowPlaintextAuth: false,
        },
        recipientsPerTransaction: 50,
      },
    })
  })

  test.each([
    [{ port: 25 }, 'Expected `relay.host` to be given with the rest of `relay`'],
    [
      { host: 'a.test', user: 'me' },
      'Expected `relay.user` to come with `passwordFile`, `passwordEnv` or `passwordCredential`, got none',
    ],
    [
      { host: 'a.test', passwordFile: 'f' },
      'Expected `relay.passwordFile` to come with `relay.user`, got none',
    ],
    [
      { host: 'a.test', user: 'me', passwordFile: 'f', passwordEnv: 'E' },
      'Expected one of `relay.passwordFile` and `relay.passwordEnv`, got 2',
    ],
    [
      { host: 'a.test', port: 465, tls: 'off' },
      'Expected `relay.tls` to be other than "off" for implicit TLS (port 465): set `relay.implicitTls` to false, or another port',
    ],
    [
      { host: 'a.test', mechanisms: ['PLAIN', 'XOAUTH2'] },
      'Expected `relay.mechanisms` to name "XOAUTH2" alone, as its password is a token',
    ],
    [
      { host: 'a.test:587' },
      'Expected `relay.host` to be a host name or an IP address without a port, which is `port`, got `"a.test:587"`',
    ],
    [
      { host: 'a.test', mechanisms: [] },
      'Expected `relay.mechanisms` to be a list of at least one mechanism, got `[]`',
    ],
    [{ host: 'a.test', user: 'a\nb' }, 'Expected `relay.user` to be the name to log in with, got `"a\\nb"`'],
    [
      { host: 'a.test', passwordEnv: 'A=B' },
      'Expected `relay.passwordEnv` to be the name of an environment variable, got `"A=B"`',
    ],
    [
      { host: 'a.test', passwordCredential: '../../etc/shadow' },
      'Expected `relay.passwordCredential` to be the name of a systemd credential, got `"../../etc/shadow"`',
    ],
    [{ hots: 'a.test' }, 'Unknown option `relay.hots`; did you mean `relay.host`?'],
  ])('that makes no sense is refused: %j', (relay, message) => {
    expect(complaint({ relay })).toBe(message)
  })

  test('of a domain of its own is refused by the name of its key', () => {
    expect(complaint({ routes: { 'a.test': { host: 'b.test', prot: 25 } } })).toBe(
      'Unknown option `routes."a.test".prot`',
    )
    expect(complaint({ routes: { 'a.test': { host: 'b.test', port: 0 } } })).toBe(
      'Expected `routes."a.test".port` to be a whole number from 1 to 65535, got `0`',
    )
    expect(complaint({ routes: { 'a.test': {} } })).toContain('`routes."a.test".host`')
  })
})

describe('a password', () => {
  test('in the configuration itself is refused, and not repeated', () => {
    const toml = '[relay]\nhost = "a.test"\nuser = "me"\npassword = "hunter2"\n'
    expect(() => parseConfig(toml, 'mxpress.toml')).toThrow(
      'mxpress.toml:4: Expected `relay.password` to be a function of a program; elsewhere use `passwordFile`, `passwordEnv` or `passwordCredential`, got `something that is not shown`',
    )
  })

  test('in a variable of ours is refused, and not repeated', () => {
    expect(() => readEnvironment({ MXPRESS_RELAY_PASSWORD: 'hunter2' })).toThrow(
      'Unknown variable `MXPRESS_RELAY_PASSWORD`',
    )
  })

  test('may be given by a function of a program', () => {
    const password = () => 'secret'
    const relay = resolveSettings({ relay: { host: 'a.test', user: 'me', password } }).relay
    expect(relay?.login?.secret).toEqual({ kind: 'program', read: password })
  })
})
