/**
 * The log for people and grep: `TIME USER[PID]: ID what key=value key="text"`.
 * One rule: a value is bare only if it has no space; text that a peer chose stands in quotes and escaped.
 * The verdict's line is made tens of thousands of times a second: template strings only, no arrays.
 */
import os from 'node:os'
import { escapeText } from './escape.ts'
import type {
  ConnectionEvent,
  LoginEvent,
  LogRecord,
  LogTarget,
  LogTls,
  LookupEvent,
  ServiceEvent,
  SessionEndEvent,
  SettledEvent,
  SubmissionEvent,
  TlsEvent,
  TryingEvent,
  UnsignedEvent,
  VerdictEvent,
} from './events.ts'
import { timestamp } from './timestamp.ts'

const quoted = { context: 'quoted' } as const
const angle = { context: 'angle' } as const
const token = { context: 'token' } as const

/** Who writes; for tests. */
export interface Writer {
  readonly user: string
  readonly pid: number
}

/** The format, its `USER[PID]` fixed now. */
export function createClassicFormat(
  writer: Writer = { user: userName(), pid: process.pid },
): (record: LogRecord, epochMs: number) => string {
  const who = `${escapeText(writer.user, token)}[${writer.pid}]`
  return (record, epochMs) => `${timestamp(epochMs)} ${who}: ${formatRecord(record)}\n`
}

/** A uid without a passwd entry, as containers have them, makes `os.userInfo` throw. */
function userName(): string {
  try {
    return os.userInfo().username
  } catch {
    return `uid${process.getuid?.() ?? ''}`
  }
}

function formatRecord(record: LogRecord): string {
  switch (record.kind) {
    case 'verdict':
      return formatVerdict(record)
    case 'trying':
      return formatTrying(record)
    case 'lookup':
      return formatLookup(record)
    case 'connection':
      return formatConnection(record)
    case 'tls':
      return formatHandshake(record)
    case 'session-end':
      return formatSessionEnd(record)
    case 'submission':
      return formatSubmission(record)
    case 'unsigned':
      return formatUnsigned(record)
    case 'login':
      return formatLogin(record)
    case 'settled':
      return formatSettled(record)
    case 'trouble':
      return `${idOf(record)} trouble${formatError(record.error)}`
    case 'service':
      return formatService(record)
    case 'lost':
      return `- log lost=${record.lines} error="${escapeText(record.error, quoted)}"`
    default:
      return record satisfies never
  }
}

function formatVerdict(event: VerdictEvent): string {
  const uncertain = event.uncertain ? ' uncertain=yes' : ''
  const via = event.via === undefined ? '' : ` via=${event.via}`
  return `${idOf(event)} to=<${escapeText(event.to, angle)}> field=${event.field} outcome=${event.outcome}${uncertain} exchanger=${
    event.target === null ? 'none' : formatTarget(event.target)
  } ${formatTls(event.tls)} stage=${event.stage} status=${event.status} delay=${seconds(event.delayMs)}${via} reply="${escapeText(event.reply, quoted)}"`
}

function formatTrying(event: TryingEvent): string {
  const { exchanger, ip, port } = event.target
  return `${idOf(event)} trying ${escapeText(exchanger, token)} [${escapeText(ip, token)}]:${port}`
}

function formatLookup(event: LookupEvent): string {
  const exchangers = event.exchangers.map((host) => escapeText(host, token)).join(',') || 'none'
  return `${idOf(event)} lookup domain=${escapeText(event.domain, token)} exchangers=${exchangers}${formatError(event.error)} delay=${seconds(event.durationMs)}`
}

function formatConnection(event: ConnectionEvent): string {
  const word = event.error === null ? 'connected' : 'not connected'
  return `${idOf(event)} ${word} exchanger=${formatTarget(event.target)}${formatError(event.error)} delay=${seconds(event.durationMs)}`
}

function formatHandshake(event: TlsEvent): string {
  const cipher = event.tls === null ? '' : ` cipher=${escapeText(event.tls.cipher, token)}`
  const reason = event.tls?.reason ? ` reason="${escapeText(event.tls.reason, quoted)}"` : ''
  const resumed = event.resumed ? 'yes' : 'no'
  return `${idOf(event)} handshake exchanger=${formatTarget(event.target)} ${formatTls(event.tls)}${cipher} resumed=${resumed}${reason}${formatError(event.error)}`
}

function formatSessionEnd(event: SessionEndEvent): string {
  return `${idOf(event)} session ended exchanger=${formatTarget(event.target)} transactions=${event.transactions} duration=${seconds(event.durationMs)} reason="${escapeText(event.reason, quoted)}"`
}

function formatSubmission(event: SubmissionEvent): string {
  const verdict = event.queueId === null ? 'refused' : `accepted queue=${escapeText(event.queueId, token)}`
  const user = event.user === null ? '' : ` user="${escapeText(event.user, quoted)}"`
  return `${idOf(event)} ${verdict} from=<${escapeText(event.reversePath, angle)}> recipients=${event.recipients} size=${event.size} client=${escapeText(event.client, token)} tls=${
    event.tls === null ? 'none' : escapeText(event.tls, token)
  }${user} reply="${escapeText(event.reply, quoted)}"${formatError(event.error)}`
}

function formatUnsigned(event: UnsignedEvent): string {
  return `${idOf(event)} unsigned message-id="${escapeText(event.messageId, quoted)}" domain=${escapeText(event.domain, token) || '-'} reason=${event.reason}`
}

function formatLogin(event: LoginEvent): string {
  const verdict = event.isRight ? 'logged in' : 'login failed'
  return `${idOf(event)} ${verdict} client=${escapeText(event.client, token)} user="${escapeText(event.user, quoted)}"${formatError(event.error)}`
}

function formatSettled(event: SettledEvent): string {
  const uncertain = event.uncertain ? ' uncertain=yes' : ''
  const due = event.dueAt === null ? '' : ` due=${event.dueAt}`
  return `${idOf(event)} settled to=<${escapeText(event.to, angle)}> outcome=${event.outcome} state=${event.state}${uncertain} attempts=${event.attempts}${due} reports=${event.reports} status=${escapeText(event.status, token)}`
}

function formatService(event: ServiceEvent): string {
  const listening = event.submission.map((address) => escapeText(address, token)).join(',') || 'none'
  return `${idOf(event)} daemon ${event.act} queue="${escapeText(event.queue, quoted)}" submission=${listening}`
}

function idOf(event: { readonly id: string }): string {
  return event.id === '' ? '-' : event.id
}

function formatTarget({ exchanger, ip, port }: LogTarget): string {
  return `${escapeText(exchanger, token)}[${escapeText(ip, token)}]:${port}`
}

function formatTls(tls: LogTls | null): string {
  if (tls === null) return 'tls=none verified=no'
  return `tls=${escapeText(tls.protocol, token)} verified=${tls.verified ? 'yes' : 'no'}`
}

function formatError(error: string | null): string {
  return error === null ? '' : ` error="${escapeText(error, quoted)}"`
}

/** Milliseconds as seconds with two decimals, which is what `delay=` has always had. */
function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(2)
}
