/**
 * The keys that mail of the domain is signed with, held against the DNS in two ways: a message is signed as delivery signs
 * it and verified by mailauth, which decides; what is wrong, the comparison of record and key says in words.
 */
import { buffer } from 'node:stream/consumers'
import type { DKIMResult } from 'mailauth'
import { ConfigError } from '../config/errors.ts'
import type { DkimSettings } from '../config/settings.ts'
import { type ReadKey, readKey } from '../mail/dkim/key.ts'
import { compareRecord, type KeyRecord, recordOf } from '../mail/dkim/record.ts'
import { messageFromBytes } from '../mail/message.ts'
import { type Answer, evidenceOf, isUnanswered, type Questions } from './questions.ts'
import type { Evidence } from './result.ts'

/** One key of the domain. */
export interface DkimKeyObservation {
  readonly selector: string
  /** `null` without a key. */
  readonly algorithm: 'rsa' | 'ed25519' | null
  /** `unreadable`: the key file is no use · `unanswered`: the record could not be looked up. */
  readonly kind: 'matches' | 'missing' | 'wrong' | 'unanswered' | 'unreadable'
  /** A sentence. */
  readonly text: string
  /** Sentences about a record or key that serves, and could be better. */
  readonly remarks: readonly string[]
  /** The record to publish; `null` without a key. */
  readonly record: KeyRecord | null
  readonly evidence: readonly Evidence[]
}

/** All keys of the domain; none when nothing is signed. */
export interface DkimObservation {
  readonly domain: string
  /** The domain that signs: this one, or one above it. */
  readonly signingDomain: string
  readonly keys: readonly DkimKeyObservation[]
}

/** Looks at every key of the domain's entry, or of the nearest one above it, as signing does. */
export async function observeDkim(
  questions: Questions,
  domain: string,
  settings: readonly DkimSettings[],
): Promise<DkimObservation> {
  const entry = entryFor(domain, settings)
  if (entry === undefined) return { domain, signingDomain: domain, keys: [] }
  const keys = await Promise.all(
    entry.keys.map((named) => observeKey(questions, domain, { ...entry, keys: [named] })),
  )
  return { domain, signingDomain: entry.domain, keys }
}

function entryFor(domain: string, settings: readonly DkimSettings[]): DkimSettings | undefined {
  const own = settings.find((entry) => entry.domain === domain)
  const parent = domain.slice(domain.indexOf('.') + 1)
  return own ?? (parent.includes('.') ? entryFor(parent, settings) : undefined)
}

async function observeKey(
  questions: Questions,
  author: string,
  entry: DkimSettings,
): Promise<DkimKeyObservation> {
  const { selector = '', keyFile = '' } = entry.keys[0] ?? {}
  try {
    const read = await readKey({ selector, keyFile })
    return await compare(questions, { author, entry, read })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const evidence: Evidence = {
      kind: 'system',
      asked: `read ${keyFile}`,
      answers: [],
      failure: error.message,
    }
    const nothing = { algorithm: null, remarks: [], record: null } as const
    return { selector, ...nothing, kind: 'unreadable', text: `${error.message}.`, evidence: [evidence] }
  }
}

interface KeyAtWork {
  readonly author: string
  /** With this one key only. */
  readonly entry: DkimSettings
  readonly read: ReadKey
}

async function compare(questions: Questions, work: KeyAtWork): Promise<DkimKeyObservation> {
  const { key, warnings } = work.read
  const { selector, algorithm, publicKey } = key
  const record = recordOf({ domain: work.entry.domain, selector }, publicKey)
  const answer = await questions.txt(record.name)
  const common = { selector, algorithm, record, remarks: warnings }
  const evidence = [evidenceOf(answer)]
  if (isUnanswered(answer)) {
    const text = `The record ${record.name} could not be looked up.`
    return { ...common, kind: 'unanswered', text, evidence }
  }
  const found = compareRecord(answer.records, publicKey)
  const remarks = [...found.remarks, ...warnings]
  if (found.kind !== 'matches') return { ...common, ...found, remarks, evidence }
  const { status } = await verifyOne(work, answer)
  const verification: Evidence = {
    kind: 'system',
    asked: 'sign a message, and verify it by this record',
    answers: [status.comment === undefined ? status.result : `${status.result} (${status.comment})`],
    failure: null,
  }
  if (status.result === 'pass') return { ...common, ...found, remarks, evidence: [...evidence, verification] }
  const text = `A message signed with our key does not verify: ${status.comment ?? status.result}.`
  return { ...common, kind: 'wrong', text, remarks, evidence: [...evidence, verification] }
}

/** What a receiver finds who gets a message signed with the key and asks for its record. */
async function verifyOne({ author, entry }: KeyAtWork, answer: Answer): Promise<Pick<DKIMResult, 'status'>> {
  // Only here, so that programs that merely send do not load it.
  const { dkimVerify } = await import('mailauth/lib/dkim/verify.js')
  // With it comes mailauth, which those who never ask for an examination shall not load.
  const { createSigner } = await import('../mail/dkim/signer.ts')
  const signer = await createSigner([entry])
  const signed = await signer.sign(messageFromBytes(Buffer.from(sampleMessage(author))))
  const { results } = await dkimVerify(await buffer(signed.open()), {
    strict: true,
    // As joined; how a record is cut into strings means nothing (RFC 6376 §3.6.2.2).
    resolver: async () => answer.records.map((text) => [text]),
  })
  return results[0] ?? { status: { result: 'none' } }
}

/** It is verified here and goes nowhere. */
function sampleMessage(domain: string): string {
  return [
    `From: postmaster@${domain}`,
    `To: postmaster@${domain}`,
    'Subject: Does DKIM verify?',
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <doctor@${domain}>`,
    '',
    'A line.',
    '',
  ].join('\r\n')
}
