/** The JSON that `send --json` promises, key for key: an unknown key fails as a missing one does. */
import { z } from 'zod'

const status = z.string().regex(/^[245]\.\d{1,3}\.\d{1,3}$/)
const time = z.iso.datetime({ precision: 3 })
const ms = z.number().nonnegative()
const port = z.int().min(1).max(65535)

const stage = z.enum([
  'route',
  'policy',
  'connect',
  'greeting',
  'ehlo',
  'starttls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'end-of-data',
])

const tls = z
  .strictObject({
    protocol: z.string(),
    cipher: z.string(),
    verified: z.boolean(),
    reason: z.string().nullable(),
  })
  .nullable()

const reply = z
  .strictObject({ code: z.int().min(200).max(599), status: status.nullable(), lines: z.array(z.string()) })
  .nullable()

const via = z.enum(['relay', 'fallbackRelay']).optional()

const attempt = z.strictObject({
  exchanger: z.string(),
  ip: z.string(),
  port,
  stage,
  status,
  diagnostic: z.string(),
  startedAt: time,
  durationMs: ms,
  tls,
  via,
})

const recipient = z.strictObject({
  address: z.string(),
  field: z.enum(['to', 'cc', 'bcc']),
  outcome: z.enum(['delivered', 'deferred', 'failed']),
  uncertain: z.boolean(),
  status,
  reply,
  diagnostic: z.string(),
  stage,
  exchanger: z.string().nullable(),
  ip: z.string().nullable(),
  port: port.nullable(),
  tls,
  via,
  durationMs: ms,
  attempts: z.array(attempt),
})

/** The whole document. */
export const sendReportSchema = z.strictObject({
  messageId: z.string().regex(/^<[^<>\s]+>$/),
  reversePath: z.string(),
  startedAt: time,
  durationMs: ms,
  counts: z.strictObject({ delivered: z.int(), deferred: z.int(), failed: z.int() }),
  recipients: z.array(recipient),
})
