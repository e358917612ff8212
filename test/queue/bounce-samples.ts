/** Reports to write tests with, and readers that share no code with what wrote them. */
import { spawnSync } from 'node:child_process'
import PostalMime from 'postal-mime'
import { parseAddress } from '../../src/mail/address.ts'
import { type Message, messageFromBytes } from '../../src/mail/message.ts'
import { composeDsn, type DsnOptions } from '../../src/queue/bounce.ts'
import type { DsnReport, ReportedRecipient } from '../../src/queue/bounce-report.ts'
import type { LastTrouble } from '../../src/queue/entry.ts'

export const arrivedAt = Date.parse('2026-11-21T07:00:00Z')
export const triedAt = Date.parse('2026-11-21T07:00:05Z')
export const retryUntil = Date.parse('2026-11-26T07:00:00Z')
export const now = Date.parse('2026-11-21T07:00:06Z')

export const original = messageOf(
  'From: alice@sender.test\r\nSubject: Hello\r\nMessage-ID: <1@sender.test>\r\n\r\nBody.\r\n.dot\r\n',
)

export const refusal: LastTrouble = {
  at: triedAt,
  stage: 'rcpt',
  status: '5.1.1',
  diagnostic: '550 5.1.1 No such user',
  isReply: true,
  exchanger: 'mx1.example.test',
  ip: '192.0.2.7',
}

export const silence: LastTrouble = {
  at: triedAt,
  stage: 'connect',
  status: '4.4.1',
  diagnostic: 'connect to mx1.example.test [192.0.2.7]: no answer within 30000 ms',
  isReply: false,
  exchanger: null,
  ip: null,
}

/** What a relay says of our login: nobody's fault but ours. */
export const lockout: LastTrouble = {
  at: triedAt,
  stage: 'auth',
  status: '5.7.8',
  diagnostic: '535 5.7.8 authentication failed',
  isReply: true,
  exchanger: 'relay.example.net',
  ip: '192.0.2.9',
}

export function messageOf(text: string | Uint8Array): Message {
  return messageFromBytes(Buffer.from(text))
}

export function recipientOf(change: Partial<ReportedRecipient> = {}): ReportedRecipient {
  return {
    address: parseAddress('bob@example.test'),
    orcpt: null,
    action: 'failed',
    last: refusal,
    retryUntil: null,
    uncertain: false,
    ...change,
  }
}

export function reportOf(change: Partial<DsnReport> = {}): DsnReport {
  return {
    message: original,
    reversePath: parseAddress('alice@sender.test'),
    ret: null,
    envid: null,
    arrivedAt,
    recipients: [recipientOf()],
    ...change,
  }
}

/** Composes at the sample time and gives the octets. */
export async function bytesOf(report: DsnReport, options: Partial<DsnOptions> = {}): Promise<Buffer> {
  const { message } = await composeDsn(report, { hostname: 'mail.example.org', now: () => now, ...options })
  return Buffer.from(message.content ?? [])
}

/** The parts as postal-mime sees them: the text, then type and octets of each other part, line ends made CRLF again. */
export async function readParts(
  bytes: Uint8Array,
): Promise<{ text: string; parts: { type: string; octets: string }[] }> {
  const email = await PostalMime.parse(Uint8Array.from(bytes), { forceRfc822Attachments: true })
  const parts = email.attachments.map(({ mimeType, content }) => ({
    type: mimeType,
    octets: (typeof content === 'string' ? content : Buffer.from(content as ArrayBuffer).toString('latin1'))
      .replace(/\r?\n/g, '\r\n')
      // The reader leaves on the line end that belongs to the delimiter (RFC 2046 §5.1.1).
      .replace(/\r\n$/, ''),
  }))
  return { text: email.text ?? '', parts }
}

/** The fields of the part for programs, group by group, unfolded; each `Name: value`. */
export async function readStatus(bytes: Uint8Array): Promise<string[][]> {
  const { parts } = await readParts(bytes)
  const octets = parts.find(({ type }) => type.endsWith('delivery-status'))?.octets ?? ''
  const text = Buffer.from(octets, 'latin1').toString('utf8')
  return text
    .trimEnd()
    .split('\r\n\r\n')
    .map((group) => group.replace(/\r\n(?=[ \t])/g, '').split('\r\n'))
}

export const hasPython = spawnSync('python3', ['-c', 'import email.policy']).status === 0

/** What the email package of Python makes of a message. */
export interface PythonReading {
  readonly headers: Record<string, string>
  readonly types: string[]
  readonly defects: string[]
  readonly status: Record<string, string>[]
}

const script = `
import sys, json, email
from email import policy
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=policy.default)
defects, types = [], []
for part in message.walk():
    types.append(part.get_content_type())
    defects += [repr(d) for d in part.defects]
    for value in part.values():
        defects += [repr(d) for d in getattr(value, 'defects', [])]
status = []
for part in message.iter_parts():
    if part.get_content_type() == 'message/delivery-status':
        status = [dict((k, str(v)) for k, v in group.items()) for group in part.get_payload()]
headers = dict((k, str(v)) for k, v in message.items())
headers['report-type'] = message['content-type'].params.get('report-type')
print(json.dumps(dict(headers=headers, types=types, defects=defects, status=status)))
`

export function readWithPython(bytes: Uint8Array): PythonReading {
  const { stdout, stderr, status } = spawnSync('python3', ['-c', script], { input: bytes, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as PythonReading
}
