/** Situation → what the check says → how the command ends, for everything that the DNS decides. */
import { describe, expect, test } from 'vitest'
import { exitCodeOfVerdict } from '../../src/cli/exit-code.ts'
import { reversedLabels, reverseName } from '../../src/dns/reverse-name.ts'
import type { CheckStatus } from '../../src/doctor/result.ts'
import { makeKey, type TestKey } from '../support/dkim-keys.ts'
import { examine, fit, ip4, ip6, type Records, type Situation } from './examining.ts'

type Row = readonly [
  situation: string,
  spoilt: Situation,
  ...said: readonly (readonly [string, CheckStatus])[],
]

const spoil = (name: string, entry: Records[string]): Situation => ({
  records: { [name]: { ...fit[name], ...entry } },
})
const servfail: Records[string] = { failure: 'servfail' }
const only4: Situation = { examination: { addresses: [ip4] } }
const spf = (...txt: readonly string[]) => spoil('example.org', { txt })
const dmarc = (...txt: readonly string[]) => spoil('_dmarc.example.org', { txt })
const ptr = (...names: readonly string[]) => ({ ...spoil(reverseName(ip4), { ptr: names }), ...only4 })
const both = (...parts: readonly Situation[]): Situation =>
  Object.assign({}, ...parts, { records: Object.assign({}, ...parts.map(({ records }) => records)) })
const chain = Object.fromEntries(
  Array.from({ length: 11 }, (_, at) => [`s${at}.example.org`, { txt: ['v=spf1 -all'] }]),
)
const eleven = `v=spf1 ip4:${ip4} ip6:${ip6} ${Object.keys(chain)
  .map((name) => `include:${name}`)
  .join(' ')} -all`
const entryOf = (ip: string) => `${reversedLabels(ip)}.list.test`
const lists = (...addressLists: readonly string[]): Situation => ({
  options: { doctor: { receivers: [], addressLists, domainLists: [] } },
})
const listed = (code: string) =>
  both(spoil(entryOf(ip4), { a: [code], txt: ['because'] }), only4, lists('list.test'))
const test4 = entryOf('127.0.0.2')

const rsa = makeKey('example.org', 'mx1', 'rsa')
const other = makeKey('example.org', 'mx1', 'rsa')
const ed = makeKey('example.org', 'mx1e', 'ed25519')
const configured = (...keys: readonly TestKey[]) => ({
  'example.org': { keys: keys.map(({ selector, keyFile }) => ({ selector, keyFile })) },
})
const signing = (records: Records, ...keys: readonly TestKey[]): Situation => ({
  records,
  options: { dkim: configured(...keys) },
})

const matrix: Readonly<Record<string, readonly Row[]>> = {
  'ehlo-name': [
    ['leads to us', {}, ['ehlo-name-ours', 'ok']],
    [
      'is an address literal',
      { options: { hostname: `[${ip4}]`, doctor: { domain: 'example.org' } } },
      ['ehlo-name-literal', 'warning'],
    ],
    ['does not exist', { options: { hostname: 'nowhere.example.org' } }, ['ehlo-name-unknown', 'problem']],
    ['has no address', spoil('mail.example.org', { a: [], aaaa: [] }), ['ehlo-name-unknown', 'problem']],
    [
      'leads elsewhere',
      spoil('mail.example.org', { a: ['5.6.7.10'], aaaa: [] }),
      ['ehlo-name-elsewhere', 'problem'],
    ],
    [
      'leads elsewhere in one family',
      spoil('mail.example.org', { a: ['5.6.7.10'] }),
      ['ehlo-name-elsewhere', 'problem'],
    ],
    [
      'lacks a family that sends',
      spoil('mail.example.org', { aaaa: [] }),
      ['ehlo-name-lacks-family', 'warning'],
    ],
    [
      'is not given from the address that it does not lead to',
      {
        records: { 'mail.example.org': { a: [ip4], txt: ['v=spf1 a -all'] } },
        options: { sourceHostnames: { [ip6]: 'mx6.example.org' } },
      },
      ['ehlo-name-ours', 'ok'],
      ['ehlo-name-unknown', 'problem'],
    ],
    [
      'one family cannot be looked up',
      spoil('mail.example.org', { failure: 'servfail', failingTypes: ['AAAA'] }),
      ['ehlo-name-unanswered', 'cannot-tell'],
    ],
    [
      'cannot be looked up',
      { records: { 'mail.example.org': servfail } },
      ['ehlo-name-unanswered', 'cannot-tell'],
    ],
  ],
  'source-address': [
    ['both public', {}, ['address-public', 'ok'], ['address-public', 'ok']],
    ['IPv4 only', only4, ['address-public', 'ok'], ['no-ipv6', 'ok']],
    ['IPv6 only', { examination: { addresses: [ip6] } }, ['no-ipv4', 'warning'], ['address-public', 'ok']],
    [
      'private',
      { examination: { addresses: ['10.0.0.5'] } },
      ['address-not-public', 'problem'],
      ['no-ipv6', 'ok'],
    ],
    [
      'private, and allowed',
      { examination: { addresses: ['10.0.0.5'] }, options: { smtp: { allowLocalAddresses: true } } },
      ['address-allowed', 'ok'],
      ['no-ipv6', 'ok'],
    ],
    [
      'translated on the way',
      { examination: { addresses: [] }, options: { sourceAddresses: ['192.168.1.5'] } },
      ['address-translated', 'cannot-tell'],
      ['no-ipv6', 'ok'],
    ],
  ],
  'reverse-dns': [
    ['confirmed', {}, ['ptr-confirmed', 'ok'], ['ptr-confirmed', 'ok']],
    ['missing', ptr(), ['ptr-missing', 'problem']],
    [
      'missing in IPv6',
      spoil(reverseName(ip6), { ptr: [] }),
      ['ptr-confirmed', 'ok'],
      ['ptr-missing', 'problem'],
    ],
    ['does not lead back', ptr('mx.example.org'), ['ptr-unconfirmed', 'problem']],
    ['leads nowhere', ptr('nowhere.example.org'), ['ptr-unconfirmed', 'problem']],
    ['one of two leads back', ptr('nowhere.example.org', 'mail.example.org'), ['ptr-confirmed', 'ok']],
    [
      'of a pool',
      both(ptr('dyn-5-6-7-8.pool.example.net'), {
        records: { 'dyn-5-6-7-8.pool.example.net': { a: [ip4] } },
      }),
      ['ptr-generic', 'warning'],
    ],
    [
      'another name of ours',
      both(ptr('host.example.org'), { records: { 'host.example.org': { a: [ip4] } } }),
      ['ptr-other-name', 'ok'],
    ],
    [
      'another name of ours, and EHLO says so from there',
      {
        records: { [reverseName(ip4)]: { ptr: ['host.example.org'] }, 'host.example.org': { a: [ip4] } },
        options: { sourceHostnames: { [ip4]: 'host.example.org' } },
      },
      ['ptr-confirmed', 'ok'],
      ['ptr-confirmed', 'ok'],
    ],
    [
      'cannot be looked up',
      both({ records: { [reverseName(ip4)]: servfail } }, only4),
      ['ptr-unanswered', 'cannot-tell'],
    ],
    [
      'its name cannot be looked up',
      both(ptr('host.example.org'), { records: { 'host.example.org': servfail } }),
      ['ptr-forward-unanswered', 'cannot-tell'],
    ],
    [
      'address not known',
      { examination: { addresses: [] }, options: { sourceAddresses: ['192.168.1.5'] } },
      ['address-unknown', 'cannot-tell'],
    ],
  ],
  spf: [
    ['includes us', {}, ['spf-includes-us', 'ok']],
    [
      'includes us by way of another',
      both(spf('v=spf1 include:s0.example.org -all'), {
        records: { 's0.example.org': { txt: [`v=spf1 ip4:5.6.7.0/24 ip6:2a00:1::/32 -all`] } },
      }),
      ['spf-includes-us', 'ok'],
    ],
    ['missing', spf('v=spf10 +all', 'other'), ['spf-missing', 'problem']],
    ['no such domain', { records: { 'example.org': {} } }, ['spf-missing', 'problem']],
    ['two records', spf('v=spf1 -all', `v=spf1 ip4:${ip4} -all`), ['spf-several', 'problem']],
    ['syntax error', spf(`v=spf1 ip4:${ip4} ip6:${ip6} ip4:5.6.7 -all`), ['spf-invalid', 'problem']],
    [
      'syntax error behind the end, where no evaluation gets',
      spf(`v=spf1 ip4:${ip4} ip6:${ip6} -all ip4:5.6.7`),
      ['spf-invalid', 'problem'],
    ],
    [
      'includes a domain without a record',
      spf(`v=spf1 include:nowhere.example.org ip4:${ip4} -all`),
      ['spf-invalid', 'problem'],
    ],
    [
      'eleven lookups, we before them',
      both(spf(eleven), { records: chain }),
      ['spf-too-many-lookups', 'problem'],
    ],
    ['leaves an address out', spf(`v=spf1 ip4:${ip4} -all`), ['spf-lacks-address', 'problem']],
    ['softfail for us', both(spf('v=spf1 ip4:5.6.7.9 ~all'), only4), ['spf-lacks-address', 'problem']],
    ['lets everybody', spf('v=spf1 +all'), ['spf-allows-everybody', 'warning']],
    ['open end', spf(`v=spf1 ip4:${ip4} ip6:${ip6} ?all`), ['spf-open-end', 'warning']],
    ['no end', spf(`v=spf1 ip4:${ip4} ip6:${ip6}`), ['spf-open-end', 'warning']],
    ['uses ptr', spf(`v=spf1 ip4:${ip4} ip6:${ip6} ptr -all`), ['spf-uses-ptr', 'warning']],
    [
      'cannot be looked up',
      { records: { 'example.org': { failure: 'servfail' } } },
      ['spf-unanswered', 'cannot-tell'],
    ],
    [
      'an include cannot be looked up',
      both(spf('v=spf1 include:s0.example.org -all'), { records: { 's0.example.org': servfail } }),
      ['spf-unanswered', 'cannot-tell'],
    ],
    [
      'address not known',
      { examination: { addresses: [] }, options: { sourceAddresses: ['192.168.1.5'] } },
      ['spf-address-unknown', 'cannot-tell'],
    ],
  ],
  'helo-spf': [
    ['passes', {}, ['helo-spf-passes', 'ok']],
    ['none', spoil('mail.example.org', { txt: [] }), ['helo-spf-none', 'ok']],
    ['fails', spoil('mail.example.org', { txt: ['v=spf1 -all'] }), ['helo-spf-fails', 'warning']],
    [
      'two records',
      spoil('mail.example.org', { txt: ['v=spf1 a -all', 'v=spf1 -all'] }),
      ['helo-spf-fails', 'warning'],
    ],
    [
      'cannot be looked up',
      spoil('mail.example.org', { failure: 'servfail', failingTypes: ['TXT'] }),
      ['helo-spf-unanswered', 'cannot-tell'],
    ],
    [
      'its address cannot be looked up',
      both(spoil('mail.example.org', { failure: 'servfail', failingTypes: ['A', 'AAAA'] })),
      ['helo-spf-unanswered', 'cannot-tell'],
    ],
    [
      'a name of its own from one address has none',
      {
        records: { 'mx6.example.org': { aaaa: [ip6] } },
        options: { sourceHostnames: { [ip6]: 'mx6.example.org' } },
      },
      ['helo-spf-passes', 'ok'],
      ['helo-spf-none', 'ok'],
    ],
    ['the name is the domain', { options: { hostname: 'example.org', doctor: { domain: 'example.org' } } }],
  ],
  dmarc: [
    ['aligned by SPF', {}, ['dmarc-aligned', 'ok']],
    [
      'inherited from above',
      {
        options: { doctor: { domain: 'news.example.org' } },
        records: { 'news.example.org': fit['example.org'] ?? {} },
      },
      ['dmarc-aligned', 'ok'],
    ],
    [
      'aligned by DKIM alone',
      both(spf('v=spf1 -all'), signing({ [rsa.record.name]: { txt: [rsa.record.value] } }, rsa)),
      ['dmarc-aligned', 'ok'],
    ],
    ['missing', dmarc(), ['dmarc-missing', 'warning']],
    ['something else there', dmarc('hello'), ['dmarc-missing', 'warning']],
    ['two records', dmarc('v=DMARC1; p=none', 'v=DMARC1; p=reject'), ['dmarc-several', 'problem']],
    ['policy mistyped', dmarc('v=DMARC1; p=perhaps'), ['dmarc-invalid', 'problem']],
    [
      'policy mistyped, with reports',
      dmarc('v=DMARC1; p=perhaps; rua=mailto:a@example.org'),
      ['dmarc-invalid', 'problem'],
    ],
    ['version mistyped', dmarc('v=dmarc1; p=none'), ['dmarc-invalid', 'problem']],
    ['not aligned, reject', spf('v=spf1 -all'), ['dmarc-not-aligned', 'problem']],
    [
      'not aligned, none',
      both(spf('v=spf1 -all'), dmarc('v=DMARC1; p=none')),
      ['dmarc-not-aligned', 'warning'],
    ],
    [
      'cannot be looked up',
      { records: { '_dmarc.example.org': servfail } },
      ['dmarc-unanswered', 'cannot-tell'],
    ],
    [
      'SPF cannot be looked up',
      { records: { 'example.org': servfail } },
      ['dmarc-alignment-unknown', 'cannot-tell'],
    ],
  ],
  bounces: [
    ['arrive', {}, ['bounces-arrive', 'ok']],
    [
      'arrive at the domain itself',
      spoil('example.org', { mx: [], a: ['5.6.7.9'] }),
      ['bounces-arrive', 'ok'],
    ],
    ['null MX', spoil('example.org', { mx: [{ preference: 0, host: '' }] }), ['bounces-null-mx', 'problem']],
    ['no such domain', { options: { doctor: { domain: 'nowhere.test' } } }, ['bounces-no-domain', 'problem']],
    ['exchanger without address', { records: { 'mx.example.org': {} } }, ['bounces-no-address', 'problem']],
    [
      'exchanger with a private address',
      { records: { 'mx.example.org': { a: ['10.0.0.1'] } } },
      ['bounces-no-address', 'problem'],
    ],
    ['neither MX nor address', spoil('example.org', { mx: [] }), ['bounces-no-address', 'problem']],
    [
      'exchanger is an alias',
      {
        records: { 'mx.example.org': { cname: 'real.example.org' }, 'real.example.org': { a: ['5.6.7.9'] } },
      },
      ['bounces-alias', 'warning'],
    ],
    [
      'one of two exchangers is gone',
      spoil('example.org', {
        mx: [
          { preference: 1, host: 'gone.example.org' },
          { preference: 2, host: 'mx.example.org' },
        ],
      }),
      ['bounces-partly-unreachable', 'warning'],
    ],
    [
      'MX cannot be looked up',
      { records: { 'example.org': servfail } },
      ['bounces-unanswered', 'cannot-tell'],
    ],
    [
      'address cannot be looked up',
      { records: { 'mx.example.org': servfail } },
      ['bounces-unanswered', 'cannot-tell'],
    ],
  ],
  'block-list': [
    ['on none', {}, ['not-listed', 'ok'], ['not-listed', 'ok']],
    ['listed', listed('127.0.0.4'), ['listed', 'problem']],
    ['refused as a public resolver', listed('127.255.255.254'), ['list-refused', 'cannot-tell']],
    ['refused for too many queries', listed('127.255.255.255'), ['list-refused', 'cannot-tell']],
    ['refused with 127.0.0.1', listed('127.0.0.1'), ['list-refused', 'cannot-tell']],
    [
      'refused at the test entry only',
      both(spoil(test4, { a: ['127.255.255.254'] }), only4, lists('list.test')),
      ['list-refused', 'cannot-tell'],
    ],
    [
      'not even the test entry is answered',
      both({ records: { [test4]: {} } }, lists('nothing.test')),
      ['list-refused', 'cannot-tell'],
    ],
    ['a name server makes answers up', listed('5.9.9.9'), ['list-strange', 'cannot-tell']],
    [
      'the list is down',
      both({ records: { [test4]: servfail, [entryOf(ip4)]: servfail } }, only4, lists('list.test')),
      ['list-unanswered', 'cannot-tell'],
    ],
    [
      'the domain is listed',
      { records: { 'example.org.names.test': { a: ['127.0.1.2'] } } },
      ['not-listed', 'ok'],
      ['listed', 'problem'],
    ],
    ['the same list twice', lists('list.test', 'list.test'), ['not-listed', 'ok']],
  ],
  dkim: [
    ['not configured', {}, ['dkim-unsigned', 'warning']],
    ['published', signing({ [rsa.record.name]: { txt: [rsa.record.value] } }, rsa), ['dkim-matches', 'ok']],
    [
      'the key of the domain above',
      both(signing({ [rsa.record.name]: { txt: [rsa.record.value] } }, rsa), {
        options: { dkim: configured(rsa), doctor: { domain: 'news.example.org' } },
      }),
      ['dkim-matches', 'ok'],
    ],
    ['not published', signing({}, rsa), ['dkim-missing', 'problem']],
    [
      'another key published',
      signing({ [rsa.record.name]: { txt: [other.record.value] } }, rsa),
      ['dkim-wrong', 'problem'],
    ],
    ['revoked', signing({ [rsa.record.name]: { txt: ['v=DKIM1; p='] } }, rsa), ['dkim-wrong', 'problem']],
    [
      'nonsense published',
      signing({ [rsa.record.name]: { txt: ['hello'] } }, rsa),
      ['dkim-wrong', 'problem'],
    ],
    [
      'two records',
      signing({ [rsa.record.name]: { txt: [rsa.record.value, other.record.value] } }, rsa),
      ['dkim-wrong', 'problem'],
    ],
    [
      'for web pages only',
      signing({ [rsa.record.name]: { txt: [rsa.record.value.replace('k=rsa', 'k=rsa; s=web')] } }, rsa),
      ['dkim-wrong', 'problem'],
    ],
    [
      'being tested',
      signing({ [rsa.record.name]: { txt: [rsa.record.value.replace('k=rsa', 'k=rsa; t=y')] } }, rsa),
      ['dkim-doubtful', 'warning'],
    ],
    [
      'Ed25519 alone',
      signing({ [ed.record.name]: { txt: [ed.record.value] } }, ed),
      ['dkim-doubtful', 'warning'],
    ],
    [
      'both kinds',
      signing(
        { [rsa.record.name]: { txt: [rsa.record.value] }, [ed.record.name]: { txt: [ed.record.value] } },
        rsa,
        ed,
      ),
      ['dkim-matches', 'ok'],
      ['dkim-matches', 'ok'],
    ],
    [
      'cannot be looked up',
      signing({ [rsa.record.name]: servfail }, rsa),
      ['dkim-unanswered', 'cannot-tell'],
    ],
    [
      'the key file is gone',
      signing({}, { ...rsa, keyFile: '/nowhere/key.pem' }),
      ['dkim-key-unreadable', 'problem'],
    ],
  ],
}

/** How the command ends when one check alone says this. */
const exitCode = (statuses: readonly CheckStatus[]): number => {
  if (statuses.includes('problem')) return 69
  return statuses.includes('warning') || statuses.includes('cannot-tell') ? 75 : 0
}

describe.each(Object.entries(matrix))('%s:', (check, rows) => {
  test.each(rows.map(([situation, spoilt, ...said]) => ({ situation, spoilt, said })))(
    '$situation',
    async ({ spoilt, said }) => {
      const report = await examine(check, spoilt)
      expect(report.results.map(({ code, status }) => [code, status])).toEqual(said)
      expect(exitCodeOfVerdict(report.verdict)).toBe(exitCode(said.map(([, status]) => status)))
    },
  )
})

test('a record that is as it should be is not to be published again', async () => {
  const { results } = await examine('helo-spf', spoil('mail.example.org', { a: ['5.6.7.10'] }))
  const remedies = [{ kind: 'advice', text: expect.stringMatching(/mend the address of the EHLO name/) }]
  expect(results).toMatchObject([{ code: 'helo-spf-fails', remedies }])
})

test('how many lookups a record costs is told, far above the limit too', async () => {
  const names = Array.from({ length: 14 }, (_, at) => `s${at}.example.org`)
  const record = `v=spf1 ${names.map((name) => `include:${name}`).join(' ')} ~all`
  const records = Object.fromEntries(names.map((name) => [name, { txt: ['v=spf1 -all'] }]))
  const { results } = await examine('spf', both(spf(record), { records }))
  expect(results[0]?.summary).toBe(
    'The record costs 14 DNS lookups; after 10 receivers give up (RFC 7208 §4.6.4).',
  )
})

test('what is wrong always says how it was seen, and what to do unless time alone mends it', async () => {
  const waits = /-(?:unanswered|unknown)$|^bounces-partly|^address-unknown|^dmarc-not-aligned/
  for (const [check, rows] of Object.entries(matrix)) {
    for (const [situation, spoilt] of rows) {
      const { results } = await examine(check, spoilt)
      for (const { status, code, evidence, remedies } of results) {
        if (status === 'ok') continue
        const place = `${check}, ${situation}: ${code}`
        if (!/^(?:no-ipv4|address-unknown|dkim-unsigned|ehlo-name-literal)$/.test(code))
          expect(evidence.length, place).toBeGreaterThan(0)
        if (!waits.test(code)) expect(remedies.length, place).toBeGreaterThan(0)
      }
    }
  }
})
