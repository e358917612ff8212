/**
 * The part of a report that people read: who did not take the message, why, when, whether it will be tried again, and
 * what to do. One rule: it says nothing that the part for programs does not, and needs no knowledge of mail servers.
 */
import type { Stage } from '../delivery/outcome.ts'
import { formatAddress } from '../mail/address.ts'
import { formatDate } from '../mail/compose-identity.ts'
import { adviceFor } from './bounce-advice.ts'
import type { Quotation } from './bounce-original.ts'
import {
  type Action,
  type DsnReport,
  gravestAction,
  isExpired,
  type ReportedRecipient,
  statusOf,
} from './bounce-report.ts'
import { printableLine, wrap } from './bounce-words.ts'

/** RFC 5322 §2.1.1 wants at most 78; some room for quoting. */
const width = 72

const opening: Readonly<Record<Action, string>> = {
  failed: 'It could not deliver your message as listed below, and has given up.',
  delayed: 'It has not been able to deliver your message as listed below yet. It keeps trying.',
  relayed:
    'It has handed your message to the next server as listed below. That server sends no reports, so this is the last you will hear of it.',
  delivered: 'Your message was delivered as listed below.',
}

/** The text, CRLF at every line's end. */
export function composeText(
  report: DsnReport,
  { hostname, quotation }: { readonly hostname: string; readonly quotation: Quotation | null },
): string {
  const lines = [
    ...paragraph(`This is the mail system at ${hostname}. ${opening[gravestAction(report)]}`),
    ...report.recipients.flatMap((one) => ['', ...recipientLines(one)]),
    '',
    ...paragraph(`Your message came in on ${formatDate(new Date(report.arrivedAt))}.`),
    ...paragraph(`Its Message-ID is ${report.message.messageId || 'not known'}.`),
    '',
    ...paragraph(closing(quotation)),
  ]
  return lines.map((line) => `${line}\r\n`).join('')
}

function recipientLines(one: ReportedRecipient): readonly string[] {
  const { last } = one
  return [
    ...paragraph(`<${formatAddress(one.address)}>: ${one.action}`),
    ...item('Who', whoOf(one)),
    ...item('Why', whyOf(one)),
    ...item('When', formatDate(new Date(last.at))),
    ...(one.uncertain ? item('Note', uncertainty) : []),
    ...item('Retry', retryOf(one)),
    ...item('Do', adviceFor(one)),
  ]
}

const uncertainty =
  'A connection was lost after all of the message had been sent and before the answer came. The recipient may have the message.'

const asked: Readonly<Record<Stage, string>> = {
  route: 'looking for the servers of the domain',
  policy: 'before sending',
  connect: 'when connecting',
  greeting: 'when greeted',
  ehlo: 'in reply to our name',
  starttls: 'when encryption was to begin',
  auth: 'when it was to let us in',
  mail: "in reply to the sender's address",
  rcpt: "in reply to the recipient's address",
  data: 'before the content',
  'end-of-data': 'in reply to the content',
}

function whoOf({ last }: ReportedRecipient): string {
  const host = last.exchanger === null ? null : `${last.exchanger}${last.ip === null ? '' : ` [${last.ip}]`}`
  if (last.isReply && host !== null) return `${host}, ${asked[last.stage]}`
  return host === null
    ? `this host, ${asked[last.stage]}`
    : `this host, talking to ${host}, ${asked[last.stage]}`
}

function whyOf(one: ReportedRecipient): string {
  const { status, diagnostic } = one.last
  // A reply mostly has the status in it already.
  const words = diagnostic.includes(status) ? diagnostic : `${diagnostic} (status ${statusOf(one)})`
  return isExpired(one) ? `No server took it in time. The last answer was: ${words}` : words
}

function retryOf({ action, retryUntil }: ReportedRecipient): string {
  if (action === 'delayed') {
    return retryUntil === null ? 'yes' : `yes, until ${formatDate(new Date(retryUntil))}`
  }
  return action === 'failed' ? 'no, this was the last try' : 'not needed'
}

function closing(quotation: Quotation | null): string {
  const part = 'A part for programs follows'
  if (quotation === null) return `${part}. Your message itself could not be read any more.`
  return `${part}, and then ${quotation.isWhole ? 'your message' : 'the header of your message'}.`
}

function paragraph(text: string): readonly string[] {
  return wrap(printableLine(text), { indent: ['', ''], width })
}

function item(label: string, text: string): readonly string[] {
  return wrap(printableLine(text), { indent: [`    ${`${label}:`.padEnd(7)}`, ' '.repeat(11)], width })
}
