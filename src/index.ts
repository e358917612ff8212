/** The public API: re-exports only. */
export {
  type Agent,
  type AgentSeams,
  type AttemptReport,
  createAgent,
  type DialogueLine,
  type Enqueued,
  type EnqueueOptions,
  type PlannedExchanger,
  type PlannedRoute,
  type QueueResult,
  type RecipientReport,
  type RelayCheck,
  type RelayFailure,
  type SendOptions,
  type SendReport,
} from './agent.ts'
export { ConfigError } from './config/errors.ts'
export type { AgentOptions } from './config/options.ts'
export { type Daemon, startDaemon } from './daemon/daemon.ts'
export type {
  Attempt,
  Cause,
  Deferred,
  Delivered,
  Failed,
  Outcome,
  SessionTls,
  Stage,
} from './delivery/outcome.ts'
export {
  DnsError,
  type DnsErrorKind,
  type MxRecord,
  type RecordResolver,
  type Resolver,
} from './dns/resolver.ts'
export { type ExaminationOptions, examineHost } from './doctor/doctor.ts'
export type { DesiredRecord } from './doctor/records.ts'
export type { DoctorReport } from './doctor/report.ts'
export type { CheckResult, CheckStatus, Evidence, Remedy } from './doctor/result.ts'
export { LogFileError } from './log/errors.ts'
export type { LogEvent } from './log/events.ts'
export type { Log } from './log/log.ts'
export { type Address, formatAddress, parseAddress, parseReversePath } from './mail/address.ts'
export { AddressError } from './mail/address-error.ts'
export { type Mailbox, parseAddressList } from './mail/address-list.ts'
export { collectRecipients, type Envelope, type Recipient, type RecipientField } from './mail/envelope.ts'
export type { AddressInput, Attachment, HeaderInput, Mail } from './mail/mail.ts'
export { type Message, messageFromBytes, type Requirement } from './mail/message.ts'
export { MessageError } from './mail/message-error.ts'
export { type ProbeLimits, type ProbeOptions, type ProbeSeams, probe } from './probe/probe.ts'
export type {
  AddressReport,
  ExchangerReport,
  ProbeReport,
  ProbeStage,
  ProbeTls,
  RecordsReport,
  ReplyReport,
  StageReport,
  TranscriptLine,
} from './probe/report.ts'
export type { Verdict as ProbeVerdict } from './probe/verdict.ts'
export {
  QueueClosedError,
  QueueDamagedError,
  QueueError,
  QueueFullError,
  QueueLockedError,
  QueueUnwritableError,
} from './queue/errors.ts'
export { RouteError, type RouteErrorKind } from './route/route.ts'
export type { EnhancedStatus } from './smtp/enhanced-status.ts'
export {
  AuthError,
  ConnectError,
  ConnectionLostError,
  LocalProtocolError,
  RemoteProtocolError,
  SmtpError,
  TimeoutError,
  TlsError,
} from './smtp/errors.ts'
export { formatReply, type Reply } from './smtp/reply.ts'
export type { Clock } from './time/clock.ts'
