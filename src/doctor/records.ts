/**
 * Every record that a sending domain should have, beside what is published: for `--fix-records`. One rule: what is there
 * and serves is left as it is.
 */
import { isAddressLiteral } from '../config/host.ts'
import { reverseName } from '../dns/reverse-name.ts'
import type { DkimKeyObservation } from './dkim-keys.ts'
import { isDmarcRecord } from './dmarc-record.ts'
import { type Answer, isUnanswered, type Questions } from './questions.ts'
import { hostnameAt, knownToOthers, namesGiven, type OwnAddress } from './sender.ts'
import type { SpfObservation } from './spf-evaluation.ts'
import { heloSpfRecord, mendedSpf } from './spf-record.ts'
import type { Surroundings } from './surroundings.ts'
import { txtData, type ZoneLineType, zoneLine } from './zone-line.ts'

/**
 * - `published`: it is there and serves · `missing`: publish it · `different`: put it in place of what is there.
 * - `placeholder`: of use once something else has been done, which `purpose` says.
 * - `unknown`: whether it is there could not be looked up.
 */
export type RecordState = 'published' | 'missing' | 'different' | 'placeholder' | 'unknown'

/** One record. */
export interface DesiredRecord {
  /** What it is for. */
  readonly purpose: string
  readonly name: string
  readonly type: ZoneLineType
  /** As a zone file has it. */
  readonly data: string
  readonly state: RecordState
  /** PTR records stand in a zone that whoever gave the address keeps. */
  readonly zone: 'own' | 'provider'
}

type Wanted = Pick<DesiredRecord, 'purpose' | 'name' | 'type' | 'data'> & Partial<DesiredRecord>

const wanted = (record: Wanted): DesiredRecord => ({ zone: 'own', state: 'missing', ...record })

/** Asks for what no check has asked for, and compares. */
export async function findRecords(around: Surroundings): Promise<readonly DesiredRecord[]> {
  const groups = await Promise.all([
    hostRecords(around),
    reverseRecords(around),
    exchangerRecords(around),
    spfRecords(around),
    dkimRecords(around),
    dmarcRecords(around),
    transportRecords(around),
  ])
  return groups.flat()
}

/** What EHLO says, or should. */
function nameFor({ sender }: Surroundings, hostname: string | null): string {
  return hostname === null || isAddressLiteral(hostname) ? `mail.${sender.domain}` : hostname
}

async function hostRecords(around: Surroundings): Promise<readonly DesiredRecord[]> {
  const names = namesGiven(around.sender, await around.addresses())
  const groups = names.map(async ({ hostname, addresses }) => {
    const name = nameFor(around, hostname)
    if (addresses.length === 0) return [unknownAddress(name), ...(await heloRecord(around, name))]
    const records = addresses.map((address) => addressRecord(around, name, address))
    return [...(await Promise.all(records)), ...(await heloRecord(around, name))]
  })
  return (await Promise.all(groups)).flat()
}

/** RFC 5737: nobody's, for the reader to replace. */
const nobodysAddress = '192.0.2.1'

function unknownAddress(name: string): DesiredRecord {
  const purpose = `EHLO name ${name}: put in the address that mail leaves from`
  return wanted({ purpose, name, type: 'A', data: nobodysAddress, state: 'placeholder' })
}

async function addressRecord(
  { questions }: Surroundings,
  name: string,
  { ip, family }: OwnAddress,
): Promise<DesiredRecord> {
  const answer = await questions.addresses(name, family)
  const state = stateOf(answer, answer.records.includes(ip))
  return wanted({ purpose: `EHLO name ${name}`, name, type: family === 6 ? 'AAAA' : 'A', data: ip, state })
}

async function heloRecord(around: Surroundings, name: string): Promise<readonly DesiredRecord[]> {
  if (name === around.sender.domain) return []
  const record = { purpose: `SPF of the EHLO name ${name}, for bounces`, name, type: 'TXT' } as const
  const observed = (await around.heloSpf()).find(({ domain }) => domain === name)
  const [only] = observed?.records ?? []
  const data = txtData(only ?? heloSpfRecord)
  if (observed === undefined) return [wanted({ ...record, data })]
  const isKept = only === heloSpfRecord || serves(observed)
  if (isKept && only !== undefined) return [wanted({ ...record, data, state: 'published' })]
  return [wanted({ ...record, data: txtData(heloSpfRecord), state: spfState(observed) })]
}

async function reverseRecords(around: Surroundings): Promise<readonly DesiredRecord[]> {
  const purpose = 'Reverse DNS: set it at whoever gave you the address'
  const own = knownToOthers(await around.addresses(), around.sender)
  return Promise.all(
    own.map(async ({ ip }) => {
      const name = reverseName(ip)
      const target = nameFor(around, hostnameAt(around.sender, ip))
      const answer = await around.questions.ptr(name)
      const state = stateOf(answer, answer.records.includes(target))
      return wanted({ purpose, name, type: 'PTR', data: `${target}.`, state, zone: 'provider' })
    }),
  )
}

async function exchangerRecords({ questions, sender }: Surroundings): Promise<readonly DesiredRecord[]> {
  const { domain: name } = sender
  const answer = await questions.mx(name)
  const usable = answer.records.filter(({ host }) => host !== '')
  const record = { name, type: 'MX' } as const
  if (usable.length === 0) {
    const purpose = 'Bounces: name the host that receives mail for the domain'
    const state = isUnanswered(answer) ? 'unknown' : 'placeholder'
    return [wanted({ ...record, purpose, data: `10 mx.${name}.`, state })]
  }
  return usable.map(({ host, preference }) =>
    wanted({ ...record, purpose: 'Bounces', data: `${preference} ${host}.`, state: 'published' }),
  )
}

async function spfRecords(around: Surroundings): Promise<readonly DesiredRecord[]> {
  const observed = await around.spf()
  const { domain: name, records, addresses } = observed
  const record = { purpose: 'SPF', name, type: 'TXT' } as const
  const [only] = records
  if (only !== undefined && serves(observed))
    return [wanted({ ...record, data: txtData(only), state: 'published' })]
  if (addresses.length === 0) {
    const purpose = 'SPF: put in the address that mail leaves from'
    return [
      wanted({ ...record, purpose, data: txtData(mendedSpf([], [nobodysAddress])), state: 'placeholder' }),
    ]
  }
  const isBroken = observed.lookups !== null && observed.lookups.verdict === 'permerror'
  const data = txtData(mendedSpf(isBroken ? [] : records, addresses))
  return [wanted({ ...record, data, state: spfState(observed) })]
}

/** Of a record that does not serve. */
function spfState({ answer, records, evaluations, lookups }: SpfObservation): RecordState {
  const verdicts = [...evaluations, ...(lookups === null ? [] : [lookups])]
  if (isUnanswered(answer) || verdicts.some(({ verdict }) => verdict === 'temperror')) return 'unknown'
  return records.length > 0 ? 'different' : 'missing'
}

function serves({ records, evaluations }: SpfObservation): boolean {
  return records.length === 1 && evaluations.every(({ verdict }) => verdict === 'pass')
}

async function dkimRecords(around: Surroundings): Promise<readonly DesiredRecord[]> {
  const { domain, keys } = await around.dkim()
  const published = keys.flatMap(({ kind, record }): DesiredRecord[] => {
    if (record === null) return []
    const { name, value } = record
    return [wanted({ purpose: 'DKIM', name, type: 'TXT', data: txtData(value), state: dkimStates[kind] })]
  })
  if (published.length > 0) return published
  const purpose = `DKIM: the record that 'mxpress dkim keygen --domain ${domain} --selector mx1' prints`
  const name = `mx1._domainkey.${domain}`
  return [wanted({ purpose, name, type: 'TXT', data: '"v=DKIM1; k=rsa; p=..."', state: 'placeholder' })]
}

const dkimStates: Readonly<Record<DkimKeyObservation['kind'], RecordState>> = {
  matches: 'published',
  missing: 'missing',
  wrong: 'different',
  unanswered: 'unknown',
  unreadable: 'placeholder',
}

async function dmarcRecords({ questions, sender }: Surroundings): Promise<readonly DesiredRecord[]> {
  const name = await dmarcName(questions, sender.domain)
  const value = `v=DMARC1; p=none; rua=mailto:postmaster@${sender.domain}`
  return [await keptOr(await questions.txt(name), { purpose: 'DMARC', name, value, serves: isDmarcRecord })]
}

/** Where the record that applies stands: here, or at a domain above, whose policy none of ours should weaken. */
async function dmarcName(questions: Questions, domain: string): Promise<string> {
  for (let at = domain; at.includes('.'); at = at.slice(at.indexOf('.') + 1)) {
    const answer = await questions.txt(`_dmarc.${at}`)
    if (answer.records.length > 0 || isUnanswered(answer)) return `_dmarc.${at}`
  }
  return `_dmarc.${domain}`
}

/** What others need to send to the domain safely; it takes no part in sending. */
async function transportRecords(around: Surroundings): Promise<readonly DesiredRecord[]> {
  const { questions, sender, clock } = around
  const { domain } = sender
  const id = new Date(clock.now()).toISOString().replace(/\D/g, '').slice(0, 14)
  const sts = {
    purpose: `MTA-STS: once https://mta-sts.${domain}/.well-known/mta-sts.txt says "version: STSv1", "mode: testing", "mx: …" and "max_age: 604800"`,
    name: `_mta-sts.${domain}`,
    value: `v=STSv1; id=${id}`,
    serves: (text: string) => /^v=STSv1\s*;/.test(text),
  }
  const reports = {
    purpose: 'TLS-RPT: once somebody reads the reports that come',
    name: `_smtp._tls.${domain}`,
    value: `v=TLSRPTv1; rua=mailto:postmaster@${domain}`,
    serves: (text: string) => /^v=TLSRPTv1\s*;/.test(text),
  }
  return Promise.all(
    [sts, reports].map(async (record) => {
      const found = await keptOr(await questions.txt(record.name), record)
      const isKnown = found.state === 'published' || found.state === 'unknown'
      return isKnown ? found : { ...found, state: 'placeholder' as const }
    }),
  )
}

interface WantedText {
  readonly purpose: string
  readonly name: string
  readonly value: string
  readonly serves: (text: string) => boolean
}

function keptOr(answer: Answer, { purpose, name, value, serves }: WantedText): DesiredRecord {
  const [kept, ...others] = answer.records.filter(serves)
  const record = { purpose, name, type: 'TXT' } as const
  if (kept !== undefined && others.length === 0)
    return wanted({ ...record, data: txtData(kept), state: 'published' })
  return wanted({ ...record, data: txtData(value), state: stateOf(answer, false) })
}

function stateOf(answer: Answer, isThere: boolean): RecordState {
  if (isThere) return 'published'
  if (isUnanswered(answer)) return 'unknown'
  return answer.records.length > 0 ? 'different' : 'missing'
}

/** A fragment of a zone file. What is published, stands elsewhere or waits for something is a comment. */
export function zoneFragment(records: readonly DesiredRecord[], domain: string): readonly string[] {
  const lines = [
    `; Records for sending mail of ${domain}. Publish the lines that do not begin with a semicolon, in place of`,
    '; what is there now of the same name and type.',
  ]
  let purpose = ''
  for (const record of records) {
    if (record.purpose !== purpose) lines.push('', `; ${record.purpose}`)
    purpose = record.purpose
    const line = zoneLine(record.name, record.type, record.data)
    lines.push(isToPublish(record) ? line : `; ${notes[record.state]}${line}`)
  }
  return lines
}

const notes: Readonly<Record<RecordState, string>> = {
  published: 'published: ',
  missing: '',
  different: '',
  placeholder: '',
  unknown: 'could not be looked up: ',
}

function isToPublish({ state, zone }: DesiredRecord): boolean {
  return zone === 'own' && (state === 'missing' || state === 'different')
}
