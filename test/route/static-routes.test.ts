import { expect, test } from 'vitest'
import { createStaticRoutes, parseRouteTarget } from '../../src/route/static-routes.ts'

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

test('routes are found by the one spelling of their domain', () => {
  const routes = createStaticRoutes({ 'Bücher.Test.': 'mx.example.net', '[192.0.2.1]': '[::1]:26' }, 25)
  expect([...routes.values()]).toEqual([
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
  ])
})

test('a route for what is no domain is refused, and the message names it', () => {
  expect(() => createStaticRoutes({ 'a b': 'mx.example.net' }, 25)).toThrow(
    new TypeError('Expected `routes` to be keyed by domains, got `a b`'),
  )
})
