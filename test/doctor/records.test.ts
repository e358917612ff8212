/** What `--fix-records` prints: lines that a name server would take. */
import { expect, test } from 'vitest'
import { zoneFragment } from '../../src/doctor/records.ts'
import { txtData } from '../../src/doctor/zone-line.ts'
import { makeKey } from '../support/dkim-keys.ts'
import { examine, fit, type Situation } from './examining.ts'

const fragment = async (situation: Situation = {}) => {
  const { records, domain } = await examine('node', situation)
  return zoneFragment(records, domain)
}

const toPublish = (lines: readonly string[]) => lines.filter((line) => line !== '' && !line.startsWith(';'))

test('nothing is to be published where all is there but what waits for something', async () => {
  const lines = await fragment()
  expect(toPublish(lines)).toEqual([])
  expect(lines).toContain('; published: mail.example.org. 3600 IN A 5.6.7.8')
  expect(lines).toContain('; published: example.org. 3600 IN MX 10 mx.example.org.')
})

test('everything is to be published where nothing is', async () => {
  const { record, ...key } = makeKey('example.org', 'mx1', 'rsa')
  const nothing = Object.fromEntries(Object.keys(fit).map((name) => [name, {}]))
  const options = { dkim: { 'example.org': { selector: key.selector, keyFile: key.keyFile } } }
  const lines = await fragment({ records: nothing, options })
  const dkim = `mx1._domainkey.example.org. 3600 IN TXT ${txtData(record.value)}`
  expect(toPublish(lines)).toEqual([
    'mail.example.org. 3600 IN A 5.6.7.8',
    'mail.example.org. 3600 IN AAAA 2a00:1:2::3',
    'mail.example.org. 3600 IN TXT "v=spf1 a -all"',
    'example.org. 3600 IN TXT "v=spf1 ip4:5.6.7.8 ip6:2a00:1:2::3 ~all"',
    dkim,
    '_dmarc.example.org. 3600 IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@example.org"',
  ])
  expect(lines).toContain('; 8.7.6.5.in-addr.arpa. 3600 IN PTR mail.example.org.')
  expect(lines).toContain('; example.org. 3600 IN MX 10 mx.example.org.')
  for (const string of dkim.match(/"[^"]*"/g) ?? []) expect(string.length - 2).toBeLessThanOrEqual(255)
})

test('a record that does not serve is replaced, and keeps what it says of others', async () => {
  const lines = await fragment({
    records: {
      'example.org': { ...fit['example.org'], txt: ['v=spf1 include:s.example.org ~all'] },
      's.example.org': { txt: ['v=spf1 -all'] },
      '_dmarc.example.org': { txt: ['v=DMARC1; p=perhaps'] },
      'mail.example.org': { ...fit['mail.example.org'], txt: ['v=spf1 -all'] },
    },
  })
  expect(toPublish(lines)).toEqual([
    'mail.example.org. 3600 IN TXT "v=spf1 a -all"',
    'example.org. 3600 IN TXT "v=spf1 ip4:5.6.7.8 ip6:2a00:1:2::3 include:s.example.org ~all"',
    '_dmarc.example.org. 3600 IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@example.org"',
  ])
})

test('what could not be looked up is not prescribed', async () => {
  const { record, ...key } = makeKey('example.org', 'mx1', 'rsa')
  const names = [...Object.keys(fit), record.name, '_mta-sts.example.org', '_smtp._tls.example.org']
  const records = Object.fromEntries(names.map((name) => [name, { failure: 'servfail' as const }]))
  const options = { dkim: { 'example.org': { selector: key.selector, keyFile: key.keyFile } } }
  const report = await examine('node', { records, options })
  expect(new Set(report.records.map(({ state }) => state))).toEqual(new Set(['unknown']))
  const lines = zoneFragment(report.records, report.domain)
  expect(toPublish(lines)).toEqual([])
  expect(lines).toContain('; could not be looked up: mail.example.org. 3600 IN A 5.6.7.8')
})

test('an include that could not be looked up is no reason to replace the record', async () => {
  const lines = await fragment({
    records: {
      'example.org': { ...fit['example.org'], txt: ['v=spf1 include:s.example.org -all'] },
      's.example.org': { failure: 'servfail' },
    },
  })
  expect(toPublish(lines)).toEqual([])
})

test('the policy of a domain above is not weakened by one below', async () => {
  const lines = await fragment({
    options: { doctor: { domain: 'news.example.org' } },
    records: { 'news.example.org': fit['example.org'] ?? {} },
  })
  expect(toPublish(lines)).toEqual([])
  expect(lines.filter((line) => line.includes('_dmarc'))).toEqual([
    '; published: _dmarc.example.org. 3600 IN TXT "v=DMARC1; p=reject; rua=mailto:postmaster@example.org"',
  ])
})

test('MTA-STS and TLS-RPT are kept where they are, and placeholders where they are not', async () => {
  const absent = await fragment({ examination: { clock: { now: () => 0, monotonic: () => 0 } } })
  expect(absent).toContain('; _mta-sts.example.org. 3600 IN TXT "v=STSv1; id=19700101000000"')
  expect(absent).toContain(
    '; _smtp._tls.example.org. 3600 IN TXT "v=TLSRPTv1; rua=mailto:postmaster@example.org"',
  )
  const present = await fragment({
    records: {
      '_mta-sts.example.org': { txt: ['v=STSv1; id=1'] },
      '_smtp._tls.example.org': { txt: ['v=TLSRPTv1; rua=mailto:tls@example.org'] },
    },
  })
  expect(present).toContain('; published: _mta-sts.example.org. 3600 IN TXT "v=STSv1; id=1"')
  expect(present).toContain(
    '; published: _smtp._tls.example.org. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tls@example.org"',
  )
})

test('a system without a name gets one to publish, an unknown address is a placeholder', async () => {
  const lines = await fragment({
    options: { hostname: '[5.6.7.8]', doctor: { domain: 'example.org' }, sourceAddresses: ['10.0.0.5'] },
    examination: { addresses: [] },
    records: { 'example.org': {} },
  })
  expect(lines).toContain('mail.example.org. 3600 IN TXT "v=spf1 a -all"')
  expect(lines).toContain('; example.org. 3600 IN TXT "v=spf1 ip4:192.0.2.1 ~all"')
  expect(lines).toContain('; mail.example.org. 3600 IN A 192.0.2.1')
})

test('a stranger’s text cannot end a line or speak to a terminal', () => {
  expect(txtData('a"b\\c\nd\u001b[0mé')).toBe('"a\\"b\\\\c\\010d\\027[0m\\195\\169"')
  expect(txtData('')).toBe('""')
})
