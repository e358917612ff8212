/** What the reader of a report can do about it, told from the status (RFC 3463 §3). */
import { isExpired, type ReportedRecipient } from './bounce-report.ts'

const atDestination =
  'Ask the recipient in another way, or show this report to the people who run the mail of that domain.'

/** By class-less status, the more exact first. */
const advice: readonly (readonly [RegExp, string])[] = [
  [
    /^5\.(?:1\.(?:2|10))$/,
    'Check what stands after the @: this domain does not exist or takes no mail. Correct the address and send the message again.',
  ],
  [
    /^5\.1\.[0136]$/,
    'Check the address letter by letter, correct it and send the message again. If it is right, ask the recipient in another way.',
  ],
  [/^5\.2\.1$/, 'The mailbox is closed to mail. Ask the recipient in another way.'],
  [/^5\.2\.2$/, 'The mailbox is full. Tell the recipient in another way, or send the message again later.'],
  [/^5\.(?:2\.3|3\.4)$/, 'The message is too large. Send a smaller one, or put large files elsewhere.'],
  [
    /^5\.6\.7$/,
    'The address has letters that the server of that domain does not understand. Ask for another address.',
  ],
  [/^5\.4\.6$/, 'The mail of that domain goes round in a circle. Show this report to the people who run it.'],
  [/^5\.7\./, `The server does not want this message or its sender. ${atDestination}`],
]

/** One or two sentences. */
export function adviceFor(one: ReportedRecipient): string {
  if (one.action === 'delayed')
    return 'Nothing: do not send the message again. You will be told if it is given up.'
  if (one.action !== 'failed') return 'Nothing.'
  if (one.uncertain) return 'The recipient may have the message: ask before you send it again.'
  if (isExpired(one)) {
    return 'Send the message again later, or reach the recipient in another way. The trouble lies between the two servers, not with the address.'
  }
  return advice.find(([status]) => status.test(one.last.status))?.[1] ?? atDestination
}
