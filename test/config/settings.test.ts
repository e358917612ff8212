import { describe, expect, test } from 'vitest'
import type { AgentOptions } from '../../src/config/options.ts'
import { resolveSettings, type Settings } from '../../src/config/settings.ts'
import { complaint } from './complaint.ts'

const defaults: Settings = {
  hostname: null,
  sourceAddresses: [],
  sourceHostnames: {},
  dns: { servers: [], timeoutMs: 5_000 },
  smtp: { port: 25, allowLocalAddresses: false },
  timeouts: {
    connectMs: 30_000,
    greetingMs: 300_000,
    ehloMs: 300_000,
    startTlsMs: 60_000,
    mailMs: 300_000,
    rcptMs: 300_000,
    dataInitiationMs: 120_000,
    dataBlockMs: 180_000,
    dataTerminationMs: 600_000,
    quitMs: 5_000,
  },
  delivery: {
    concurrency: 50,
    perSite: 5,
    maxTargets: 20,
    messagesPerSession: 100,
    recipientsPerTransaction: 1,
  },
  tls: { mode: 'opportunistic', minVersion: 'TLSv1.2', caFile: null },
  routes: {},
  dkim: [],
  relay: null,
  fallbackRelay: null,
  log: { file: null, format: 'classic' },
  queue: {
    dir: 'queue',
    retryFirstMs: 300_000,
    retryMaxMs: 14_400_000,
    expireMs: 432_000_000,
    delayWarningMs: 14_400_000,
    onUncertain: 'retry',
  },
  submission: {
    listen: ['127.0.0.1:2525'],
    maxSize: 50_000_000,
    maxRecipients: 1_000,
    maxConnections: 200,
    certFile: null,
    keyFile: null,
    usersFile: null,
  },
  doctor: {
    domain: null,
    receivers: ['gmail.com', 'outlook.com', 'yahoo.com', 'icloud.com', 'comcast.net'],
    addressLists: ['zen.spamhaus.org', 'bl.spamcop.net', 'b.barracudacentral.org', 'psbl.surriel.com'],
    domainLists: ['dbl.spamhaus.org'],
  },
  probe: { from: '<>', timeoutMs: 30_000, concurrency: 50, perSite: 2, perSession: 10 },
}

describe('resolveSettings', () => {
  test('gives every option its default (time limits: RFC 5321 §4.5.3.2, waiting: §4.5.4.1)', () => {
    expect(resolveSettings()).toEqual(defaults)
    expect(resolveSettings({})).toEqual(defaults)
  })

  test('takes every option', () => {
    const options: AgentOptions = {
      hostname: 'mail.example.org',
      sourceAddresses: ['192.0.2.1', '2001:db8::1'],
      sourceHostnames: { '192.0.2.1': 'mx1.bücher.example' },
      dns: { servers: ['127.0.0.1:5353'], timeout: '1s' },
      smtp: { port: 2525, allowLocalAddresses: true },
      timeouts: { connect: 100, greeting: '1s', dataTermination: '1.5m' },
      delivery: {
        concurrency: 1,
        perSite: 2,
        maxTargets: 3,
        messagesPerSession: 4,
        recipientsPerTransaction: 5,
      },
      tls: { mode: 'verified', minVersion: 'TLSv1.3', caFile: 'ca.pem' },
      routes: { 'example.org': '10.0.0.5:2525', 'example.net': '[::1]:25' },
      dkim: {
        'Bücher.example': { selector: 'mx1', keyFile: 'dkim.key' },
        'example.org': {
          keys: [
            { selector: 'rsa', keyFile: 'rsa.key' },
            { selector: 'ed', keyFile: 'ed.key' },
          ],
          headers: ['Subject'],
          expire: '14d',
          resign: true,
        },
      },
      relay: {
        host: 'smtp.example.net',
        port: 2465,
        implicitTls: true,
        tls: 'required',
        user: 'me',
        passwordFile: 'relay.secret',
        mechanisms: ['PLAIN'],
        allowPlaintextAuth: true,
        recipientsPerTransaction: 6,
        domains: ['*.example.org'],
      },
      fallbackRelay: { host: '192.0.2.25', port: 465 },
      log: { file: 'mxpress.log', format: 'json' },
      queue: {
        dir: '/var/spool/mxpress',
        retryFirst: '1s',
        retryMax: '1m',
        expire: '30d',
        delayWarning: '1h',
        onUncertain: 'hold',
      },
      submission: {
        listen: ['192.0.2.1:587', '[::1]:0'],
        maxSize: '1MiB',
        maxRecipients: 100,
        maxConnections: 1,
        certFile: 'cert.pem',
        keyFile: 'key.pem',
        usersFile: 'users',
      },
      doctor: { domain: 'bücher.example.', receivers: ['example.net'], addressLists: [], domainLists: [] },
      probe: { from: 'me@example.org', timeout: '1m', concurrency: 1, perSite: 1, perSession: 1 },
    }
    expect(resolveSettings(options)).toEqual({
      hostname: 'mail.example.org',
      sourceAddresses: ['192.0.2.1', '2001:db8::1'],
      sourceHostnames: { '192.0.2.1': 'mx1.xn--bcher-kva.example' },
      dns: { servers: ['127.0.0.1:5353'], timeoutMs: 1_000 },
      smtp: { port: 2525, allowLocalAddresses: true },
      timeouts: { ...defaults.timeouts, connectMs: 100, greetingMs: 1_000, dataTerminationMs: 90_000 },
      delivery: {
        concurrency: 1,
        perSite: 2,
        maxTargets: 3,
        messagesPerSession: 4,
        recipientsPerTransaction: 5,
      },
      tls: { mode: 'verified', minVersion: 'TLSv1.3', caFile: 'ca.pem' },
      routes: { 'example.org': '10.0.0.5:2525', 'example.net': '[::1]:25' },
      dkim: [
        {
          domain: 'xn--bcher-kva.example',
          keys: [{ selector: 'mx1', keyFile: 'dkim.key' }],
          headers: null,
          expireMs: null,
          resign: false,
        },
        {
          domain: 'example.org',
          keys: [
            { selector: 'rsa', keyFile: 'rsa.key' },
            { selector: 'ed', keyFile: 'ed.key' },
          ],
          headers: ['Subject'],
          expireMs: 1_209_600_000,
          resign: true,
        },
      ],
      relay: {
        host: 'smtp.example.net',
        port: 2465,
        isTlsImplicit: true,
        tlsMode: 'required',
        login: {
          user: 'me',
          secret: { kind: 'file', file: 'relay.secret' },
          mechanisms: ['PLAIN'],
          allowPlaintextAuth: true,
        },
        recipientsPerTransaction: 6,
        domains: ['*.example.org'],
      },
      fallbackRelay: {
        host: '192.0.2.25',
        port: 465,
        isTlsImplicit: true,
        tlsMode: 'verified',
        login: null,
        recipientsPerTransaction: 50,
      },
      log: { file: 'mxpress.log', format: 'json' },
      queue: {
        dir: '/var/spool/mxpress',
        retryFirstMs: 1_000,
        retryMaxMs: 60_000,
        expireMs: 2_592_000_000,
        delayWarningMs: 3_600_000,
        onUncertain: 'hold',
      },
      submission: {
        listen: ['192.0.2.1:587', '[::1]:0'],
        maxSize: 1_048_576,
        maxRecipients: 100,
        maxConnections: 1,
        certFile: 'cert.pem',
        keyFile: 'key.pem',
        usersFile: 'users',
      },
      doctor: {
        domain: 'xn--bcher-kva.example',
        receivers: ['example.net'],
        addressLists: [],
        domainLists: [],
      },
      probe: { from: 'me@example.org', timeoutMs: 60_000, concurrency: 1, perSite: 1, perSession: 1 },
    })
  })

  test('intervals between attempts never shrink: retryMax is at least retryFirst', () => {
    expect(resolveSettings({ queue: { retryFirst: '6h' } }).queue).toMatchObject({
      retryFirstMs: 21_600_000,
      retryMaxMs: 21_600_000,
    })
  })

  test('a delay warning after no time at all is none', () => {
    expect(resolveSettings({ queue: { delayWarning: '0s' } }).queue.delayWarningMs).toBeNull()
  })

  test('undefined is as if not given, in sections too', () => {
    expect(resolveSettings({ hostname: undefined, smtp: { port: undefined }, tls: undefined })).toEqual(
      defaults,
    )
  })

  test.each([
    ['mail.bücher.example', 'mail.xn--bcher-kva.example'],
    ['MX1.Example.ORG', 'mx1.example.org'],
    ['[192.0.2.1]', '[192.0.2.1]'],
    ['[IPv6:2001:db8::1]', '[IPv6:2001:db8::1]'],
  ])('the name %s is given in EHLO as %s (RFC 6531 §3.7.1, RFC 5321 §4.1.3)', (hostname, given) => {
    expect(resolveSettings({ hostname }).hostname).toBe(given)
  })

  test.each([
    'localhost',
    'mail',
    '192.0.2.1',
    '',
    'mail.example.org/x',
    'user@mail.example.org',
    'mail.example.org:25',
    'mail.example.org\r\nQUIT',
    'mail.ex%61mple.org',
  ])('the name %j is refused', (hostname) => {
    expect(complaint({ hostname })).toBe(
      `Expected \`hostname\` to be a fully qualified domain name such as "mail.example.org", or an address literal such as "[192.0.2.1]", got \`${JSON.stringify(hostname)}\``,
    )
  })
})

describe('a wrong option is named, with what was expected and found', () => {
  test.each<[unknown, string]>([
    [{ delivery: { perSite: 0 } }, 'Expected `delivery.perSite` to be a whole number from 1, got `0`'],
    [{ delivery: { perSite: '5' } }, 'Expected `delivery.perSite` to be a whole number from 1, got `"5"`'],
    [
      { delivery: { concurrency: 1.5 } },
      'Expected `delivery.concurrency` to be a whole number from 1, got `1.5`',
    ],
    [
      { delivery: { maxTargets: Number.NaN } },
      'Expected `delivery.maxTargets` to be a whole number from 1, got `NaN`',
    ],
    [
      { delivery: { maxTargets: null } },
      'Expected `delivery.maxTargets` to be a whole number from 1, got `null`',
    ],
    [{ smtp: { port: 65_536 } }, 'Expected `smtp.port` to be a whole number from 1 to 65535, got `65536`'],
    [
      { smtp: { allowLocalAddresses: 'yes' } },
      'Expected `smtp.allowLocalAddresses` to be true or false, got `"yes"`',
    ],
    [
      { tls: { mode: 'on' } },
      'Expected `tls.mode` to be one of "off", "opportunistic", "required", "verified", got `"on"`',
    ],
    [
      { tls: { minVersion: 'TLSv1' } },
      'Expected `tls.minVersion` to be one of "TLSv1.2", "TLSv1.3", got `"TLSv1"`',
    ],
    [{ tls: 'required' }, 'Expected `tls` to be a table of options, got `"required"`'],
    [
      { sourceAddresses: ['192.0.2.1', 'eth0'] },
      'Expected `sourceAddresses[1]` to be an IP address such as "192.0.2.1" or "2001:db8::1", got `"eth0"`',
    ],
    [
      { sourceAddresses: '192.0.2.1' },
      'Expected `sourceAddresses` to be a list of IP addresses, got `"192.0.2.1"`',
    ],
    [
      { sourceHostnames: { '192.0.2.1': 'localhost' } },
      'Expected `sourceHostnames."192.0.2.1"` to be a fully qualified domain name such as "mail.example.org", or an address literal such as "[192.0.2.1]", got `"localhost"`',
    ],
    [
      { sourceHostnames: { 'mx1.example.org': 'mx1.example.org' } },
      'Expected `sourceHostnames."mx1.example.org"` to be named by an IP address such as "192.0.2.1", got `"mx1.example.org"`',
    ],
    [
      { dns: { servers: ['ns.example.org'] } },
      'Expected `dns.servers[0]` to be an IP address with or without a port, such as "192.0.2.53" or "[2001:db8::53]:5353", got `"ns.example.org"`',
    ],
    [
      { routes: { 'example.org': '10.0.0.5:x' } },
      'Expected `routes."example.org"` to be a host with or without a port, such as "10.0.0.5:2525" or "mx.example.net", got `"10.0.0.5:x"`',
    ],
    [{ log: { file: '' } }, 'Expected `log.file` to be the path of a file, got `""`'],
    [
      { queue: { expire: '2y' } },
      'Expected `queue.expire` to be a duration from 1ms to 365d such as "250ms", "30s", "5m", "4h" or "5d", got `"2y"`',
    ],
    [
      { queue: { retryFirst: 0 } },
      'Expected `queue.retryFirst` to be a duration from 1ms to 365d such as "250ms", "30s", "5m", "4h" or "5d", got `0`',
    ],
    [{ queue: { dir: '' } }, 'Expected `queue.dir` to be the path of a directory, got `""`'],
    [
      { queue: { onUncertain: 'drop' } },
      'Expected `queue.onUncertain` to be one of "retry", "hold", got `"drop"`',
    ],
    [
      { submission: { listen: ['127.0.0.1'] } },
      'Expected `submission.listen[0]` to be an IP address and a port, such as "127.0.0.1:2525" or "[::1]:2525", got `"127.0.0.1"`',
    ],
    [
      { submission: { listen: '127.0.0.1:2525' } },
      'Expected `submission.listen` to be a list of addresses to listen at, got `"127.0.0.1:2525"`',
    ],
    [
      { submission: { maxSize: -50 } },
      'Expected `submission.maxSize` to be a size such as "512KB", "10MB" or "1GiB", got `-50`',
    ],
    [
      { submission: { maxRecipients: 99 } },
      'Expected `submission.maxRecipients` to be a whole number from 100, got `99`',
    ],
    [[], 'Expected the options to be an object of options, got `[]`'],
    [null, 'Expected the options to be an object of options, got `null`'],
    ['x', 'Expected the options to be an object of options, got `"x"`'],
  ])('%j', (options, message) => {
    expect(complaint(options)).toBe(message)
  })

  test.each(['0s', '25d', '30', 'soon', -1, Number.POSITIVE_INFINITY, null])(
    'a time limit of %j',
    (connect) => {
      expect(complaint({ timeouts: { connect } })).toMatch(
        /^Expected `timeouts\.connect` to be a duration from 1ms to 24d such as "250ms", "30s", "5m", "4h" or "5d", got `/,
      )
    },
  )

  test.each([
    [{ delivery: { persite: 5 } }, 'Unknown option `delivery.persite`; did you mean `delivery.perSite`?'],
    [{ perSite: 5 }, 'Unknown option `perSite`; did you mean `delivery.perSite`?'],
    [{ hostName: 'x' }, 'Unknown option `hostName`; did you mean `hostname`?'],
    [{ timeout: {} }, 'Unknown option `timeout`; did you mean `timeouts`?'],
    [{ smtp: { concurrency: 5 } }, 'Unknown option `smtp.concurrency`; did you mean `delivery.concurrency`?'],
    [{ spool: { dir: 'queue' } }, 'Unknown option `spool`'],
    [{ queue: { directory: 'queue' } }, 'Unknown option `queue.directory`'],
    [{ arc: {} }, 'Unknown option `arc`'],
    [
      { dkim: { 'example.org': { selektor: 's' } } },
      'Unknown option `dkim."example.org".selektor`; did you mean `dkim."example.org".selector`?\n' +
        'Expected `dkim."example.org"` to be a table with both `selector` and `keyFile`, or a list `keys` of such, got `{"selektor":"s"}`',
    ],
    [{ 'a b': 1 }, 'Unknown option `"a b"`'],
  ])('%j: an unknown key, and the one that was probably meant', (options, message) => {
    expect(complaint(options)).toBe(message)
  })

  test.each([
    [
      { dkim: { 'example.org': { selector: 's', keyFile: 'k', headers: ['Subject,'] } } },
      'Expected `dkim."example.org".headers[0]` to be the name of a header field, of letters, digits and hyphens, that stays as it is on the way, so not Received, Return-Path, Bcc or DKIM-Signature, got `"Subject,"`',
    ],
    [
      { dkim: { selector: 's' } },
      'Expected `dkim.selector` to be a domain with a table, [dkim."example.org"], of `selector` and `keyFile`, got `"s"`',
    ],
  ])('%j: a table of DKIM with the form that it should have', (options, message) => {
    expect(complaint(options)).toBe(message)
  })

  test('all of them at once, one a line', () => {
    expect(complaint({ smtp: { port: 0 }, dns: { server: [] } }).split('\n')).toEqual([
      'Unknown option `dns.server`; did you mean `dns.servers`?',
      'Expected `smtp.port` to be a whole number from 1 to 65535, got `0`',
    ])
  })

  test('a long value is cut', () => {
    expect(complaint({ smtp: { port: 'x'.repeat(10_000) } }).length).toBeLessThan(200)
  })
})
