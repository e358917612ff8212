import { expect, test } from 'vitest'
import { readEnvironment } from '../../src/config/environment.ts'
import { ConfigError } from '../../src/config/errors.ts'

test('every kind of option can be set by a variable', () => {
  expect(
    readEnvironment({
      MXPRESS_HOSTNAME: 'mail.example.org',
      MXPRESS_SOURCE_ADDRESSES: '192.0.2.1, 2001:db8::1',
      MXPRESS_SOURCE_HOSTNAMES: '192.0.2.1=mx1.example.org,2001:db8::1=mx2.example.org',
      MXPRESS_DNS_SERVERS: '127.0.0.1:5353',
      MXPRESS_SMTP_PORT: '2525',
      MXPRESS_SMTP_ALLOW_LOCAL_ADDRESSES: 'true',
      MXPRESS_TIMEOUTS_DATA_INITIATION: '1m',
      MXPRESS_DELIVERY_PER_SITE: '7',
      MXPRESS_TLS_CA_FILE: 'ca.pem',
      MXPRESS_ROUTES: 'example.org=10.0.0.5:2525, example.net=[::1]:25',
      MXPRESS_LOG_FORMAT: 'json',
      MXPRESS_QUEUE_RETRY_FIRST: '1m',
      MXPRESS_SUBMISSION_LISTEN: '127.0.0.1:0,[::1]:0',
      MXPRESS_SUBMISSION_MAX_SIZE: '1MB',
      PATH: '/bin',
      MXPRESSO: 'coffee',
    }),
  ).toEqual({
    hostname: 'mail.example.org',
    sourceAddresses: ['192.0.2.1', '2001:db8::1'],
    sourceHostnames: { '192.0.2.1': 'mx1.example.org', '2001:db8::1': 'mx2.example.org' },
    dns: { servers: ['127.0.0.1:5353'] },
    smtp: { port: 2525, allowLocalAddresses: true },
    timeouts: { dataInitiation: '1m' },
    delivery: { perSite: 7 },
    tls: { caFile: 'ca.pem' },
    routes: { 'example.org': '10.0.0.5:2525', 'example.net': '[::1]:25' },
    log: { format: 'json' },
    queue: { retryFirst: '1m' },
    submission: { listen: ['127.0.0.1:0', '[::1]:0'], maxSize: '1MB' },
  })
})

test.each([
  ['yes', true],
  ['1', true],
  ['TRUE', true],
  ['no', false],
  ['0', false],
  ['false', false],
])('%s is %s', (text, value) => {
  expect(readEnvironment({ MXPRESS_SMTP_ALLOW_LOCAL_ADDRESSES: text })).toEqual({
    smtp: { allowLocalAddresses: value },
  })
})

test('an empty or missing variable sets nothing', () => {
  expect(readEnvironment({ MXPRESS_LOG_FILE: '', MXPRESS_HOSTNAME: undefined })).toEqual({})
})

test.each([
  [
    'MXPRESS_SMTP_PORT',
    'smtp',
    'Expected `MXPRESS_SMTP_PORT` to be a whole number from 1 to 65535, got `"smtp"`',
  ],
  [
    'MXPRESS_SMTP_ALLOW_LOCAL_ADDRESSES',
    'maybe',
    'Expected `MXPRESS_SMTP_ALLOW_LOCAL_ADDRESSES` to be true or false, got `"maybe"`',
  ],
  [
    'MXPRESS_SOURCE_ADDRESSES',
    '192.0.2.1,eth0',
    'Expected `MXPRESS_SOURCE_ADDRESSES` to be an IP address such as "192.0.2.1" or "2001:db8::1", got `"eth0"`',
  ],
  [
    'MXPRESS_ROUTES',
    'example.org',
    'Expected `MXPRESS_ROUTES` to be a table of domains and hosts, got `"example.org"`',
  ],
  [
    'MXPRESS_DELIVERY_PERSITE',
    '5',
    'Unknown variable `MXPRESS_DELIVERY_PERSITE`; did you mean `MXPRESS_DELIVERY_PER_SITE`?',
  ],
  ['MXPRESS_SPOOL', 'queue', 'Unknown variable `MXPRESS_SPOOL`'],
  [
    'MXPRESS_SUBMISSION_LISTEN',
    '127.0.0.1:0,localhost:25',
    'Expected `MXPRESS_SUBMISSION_LISTEN` to be an IP address and a port, such as "127.0.0.1:2525" or "[::1]:2525", got `"localhost:25"`',
  ],
])('%s=%s is an error that names the variable', (name, text, message) => {
  expect(() => readEnvironment({ [name]: text })).toThrow(new ConfigError(message))
})

test.each(['MXPRESS_DKIM', 'MXPRESS_DKIM_SELECTOR', 'MXPRESS_DKIM_EXAMPLE_ORG_KEY_FILE'])(
  'of %s it is said where the keys of a domain belong',
  (name) => {
    expect(() => readEnvironment({ [name]: 'example.org=mx1' })).toThrow(
      new ConfigError(
        `Unknown variable \`${name}\`; the keys of a domain stand in the configuration file: a table [dkim."example.org"] with \`selector\` and \`keyFile\``,
      ),
    )
  },
)

test('a variable that only begins alike is told as any other', () => {
  expect(() => readEnvironment({ MXPRESS_DKIMS: 'x' })).toThrow(
    new ConfigError('Unknown variable `MXPRESS_DKIMS`'),
  )
})

test('where the caller wants to be told of unknown variables they are no error, and wrong values still are', () => {
  const told: string[] = []
  const onUnknown = (complaint: string): void => void told.push(complaint)
  const env = { MXPRESS_HOSTNAM: 'x', MXPRESS_SPOOL: 'queue', MXPRESS_HOSTNAME: 'mail.example.org' }
  expect(readEnvironment(env, onUnknown)).toEqual({ hostname: 'mail.example.org' })
  expect(told).toEqual([
    'Unknown variable `MXPRESS_HOSTNAM`; did you mean `MXPRESS_HOSTNAME`?',
    'Unknown variable `MXPRESS_SPOOL`',
  ])
  expect(() => readEnvironment({ ...env, MXPRESS_SMTP_PORT: 'smtp' }, onUnknown)).toThrow(ConfigError)
})
