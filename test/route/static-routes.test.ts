import { expect, test } from 'vitest'
import { createStaticRoutes, parseRouteTarget, type StaticRoutes } from '../../src/route/static-routes.ts'
import { relayTo } from '../support/relay-to.ts'

test.each([
  ['MX.Example.net', { host: 'mx.example.net', port: null }],
  ['mx.example.net:2525', { host: 'mx.example.net', port: 2525 }],
  ['mx.example.net.:25', { host: 'mx.example.net', port: 25 }],
  ['bücher.test:25', { host: 'xn--bcher-kva.test', port: 25 }],
  ['localhost:2525', { host: 'localhost', port: 2525 }],
  ['10.0.0.5', { host: '[10.0.0.5]', port: null }],
  ['10.0.0.5:2525', { host: '[10.0.0.5]', port: 2525 }],
  ['[10.0.0.5]:2525', { host: '[10.0.0.5]', port: 2525 }],
  ['2001:DB8::1', { host: '[2001:db8::1]', port: null }],
  ['[2001:db8::1]', { host: '[2001:db8::1]', port: null }],
  ['[::1]:65535', { host: '[::1]', port: 65_535 }],
])('a route may lead to %s', (text, target) => {
  expect(parseRouteTarget(text)).toEqual(target)
})

test.each([
  '',
  ':25',
  'mx.example.net:',
  'mx.example.net:0',
  'mx.example.net:65536',
  'mx.example.net:smtp',
  'mx.example.net:2 5',
  'a..b',
  'a b',
  'a\r\nb',
  '[mx.example.net]:25',
  '[::1',
  '::1]:25',
  '1.2.3:25',
  'smtp://mx.example.net',
  'mx.example.net:25:25',
  `${'x'.repeat(64)}.test`,
])('a route to %j is refused, and the message names it', (text) => {
  expect(() => parseRouteTarget(text)).toThrow(TypeError)
  expect(() => parseRouteTarget(text)).toThrow(`\`${text}\``)
})

const relay = relayTo('smtp.relay.test')

const tableOf = (routes: StaticRoutes['routes'], more: Partial<StaticRoutes> = {}) =>
  createStaticRoutes({ routes, defaultPort: 25, ...more })

test('routes are found by the one spelling of their domain', () => {
  const routes = tableOf({ 'Bücher.Test.': 'mx.example.net', '[192.0.2.1]': '[::1]:26' })
  expect(['xn--bcher-kva.test', '[192.0.2.1]', 'other.test'].map((domain) => routes.find(domain))).toEqual([
    {
      domain: 'xn--bcher-kva.test',
      site: 'route:mx.example.net:25',
      exchangers: [{ host: 'mx.example.net', preference: 0, implicit: false, port: 25, isStatic: true }],
    },
    {
      domain: '[192.0.2.1]',
      site: 'route:[::1]:26',
      exchangers: [{ host: '[::1]', preference: 0, implicit: false, port: 26, isStatic: true }],
    },
    null,
  ])
})

test('of the patterns that fit a domain the longest counts, and a domain itself before all of them', () => {
  const routes = tableOf({
    '*': 'all',
    '*.test': 'tests',
    '*.Example.test': 'subdomains',
    'a.example.test': 'itself',
    '*.open.test': 'direct',
  })
  const hostFor = (domain: string) => routes.find(domain)?.exchangers[0]?.host ?? null
  expect(hostFor('a.example.test')).toBe('itself')
  expect(hostFor('b.example.test')).toBe('subdomains')
  expect(hostFor('c.b.example.test')).toBe('subdomains')
  // The domain is not below itself.
  expect(hostFor('example.test')).toBe('tests')
  expect(hostFor('test')).toBe('all')
  expect(hostFor('[192.0.2.1]')).toBe('all')
  expect(hostFor('x.open.test')).toBeNull()
})

test('a relay serves its domains, where the routes say nothing of the same ones', () => {
  const routes = tableOf(
    { '*.example.test': 'mx.example.test', 'own.test': { ...relay, host: '192.0.2.7', port: 465 } },
    { relay: { ...relay, domains: ['*', '*.example.test'] } },
  )
  expect(routes.find('other.test')).toEqual({
    domain: 'other.test',
    site: 'route:relay:verified:smtp.relay.test:587',
    exchangers: [
      {
        host: 'smtp.relay.test',
        preference: 0,
        implicit: false,
        port: 587,
        isStatic: true,
        relay: expect.anything(),
      },
    ],
  })
  expect(routes.find('a.example.test')?.exchangers[0]?.host).toBe('mx.example.test')
  expect(routes.find('own.test')?.site).toBe('route:relay:verified:[192.0.2.7]:465')
})

test('sessions of one user of a relay are never used for the mail of another', () => {
  const login = {
    secret: { kind: 'variable', name: 'X' },
    mechanisms: ['PLAIN'],
    allowPlaintextAuth: false,
  } as const
  const siteFor = (user: string) =>
    tableOf({}, { relay: { ...relay, login: { ...login, user } } }).find('a.test')?.site
  expect(siteFor('alice@b.test')).toBe('route:relay:verified:alice%40b.test@smtp.relay.test:587')
  expect(siteFor('bob')).not.toBe(siteFor('alice@b.test'))
})

test.each([
  [{ routes: { 'a b': 'mx.example.net' } }, 'Expected `routes` to be keyed by domains, got `a b`'],
  [{ routes: { '*.': 'mx.example.net' } }, 'Expected `routes` to be keyed by domains, got `*.`'],
  [{ routes: { '*a.test': 'mx.example.net' } }, 'Expected `routes` to be keyed by domains, got `*a.test`'],
  [{ relay: { ...relay, domains: ['a b'] } }, 'Expected `relay.domains` to name domains, got `a b`'],
])('what is no domain and no pattern is refused, and the message names it: %j', (options, message) => {
  expect(() => createStaticRoutes({ routes: {}, defaultPort: 25, ...options })).toThrow(
    new TypeError(message),
  )
})
