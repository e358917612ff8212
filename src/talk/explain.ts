/**
 * What a reply means, in a few words for whoever learns or has forgotten: the enhanced status where there is one, else the
 * code (RFC 5321 §4.2.3, RFC 4954 §6, RFC 3207 §4, RFC 7504), else its first digit. One rule: our own words only, so they are safe to show.
 */
import { type HeardReply, heardText } from './heard-reply.ts'

/** By the command that was answered, where that says more than the code. */
const byCommand: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  greeting: { 220: 'ready for EHLO', 554: 'no service here for us', 421: 'no service now' },
  EHLO: { 250: 'these extensions may be used' },
  STARTTLS: { 220: 'the TLS handshake comes next', 454: 'TLS is not to be had now' },
  MAIL: { 250: 'reverse-path accepted' },
  RCPT: { 250: 'recipient accepted', 550: 'no such mailbox, or not for us' },
  DATA: { 354: 'content now; a line with a single dot ends it' },
  content: { 250: 'the server has the message and answers for it' },
  BDAT: { 250: 'the server has the chunk; after LAST it answers for the message' },
  RSET: { 250: 'the transaction is forgotten' },
  QUIT: { 221: 'good-bye' },
  VRFY: { 252: 'it will not say, but would try' },
}

const byCode: Readonly<Record<number, string>> = {
  211: 'status',
  214: 'help',
  220: 'ready',
  221: 'the server closes the connection',
  235: 'logged in',
  250: 'done',
  251: 'not here, will be forwarded',
  252: 'not verified, but accepted',
  334: 'go on with AUTH: base64, or * to give up',
  354: 'content now; a line with a single dot ends it',
  421: 'the server closes the connection: try later',
  432: 'the password has to be changed first',
  450: 'mailbox not available now: try later',
  451: 'trouble at the server: try later',
  452: 'no room now, or too many recipients: try later',
  454: 'login not to be had now: try later',
  455: 'a parameter cannot be granted now',
  500: 'command not understood',
  501: 'parameter not understood',
  502: 'command not implemented',
  503: 'not in this order',
  504: 'parameter not implemented',
  521: 'this host takes no mail',
  523: 'encryption needed',
  530: 'log in, or encrypt, first',
  534: 'this way to log in is too weak',
  535: 'login refused',
  538: 'this way to log in needs encryption',
  550: 'mailbox not available, or refused by policy',
  551: 'not here; try the address it names',
  552: 'too large, or mailbox full',
  553: 'the address is not allowed here',
  554: 'refused for good',
  555: 'a parameter is not known',
  556: 'the domain takes no mail',
}

const byDigit: Readonly<Record<string, string>> = {
  2: 'done',
  3: 'go on',
  4: 'not now: try later',
  5: 'no, for good',
}

/** RFC 3463 §3 and its registry; the class is told by the code. */
const byStatus: Readonly<Record<string, string>> = {
  '1.0': 'the address',
  '1.1': 'no such mailbox',
  '1.2': 'no such domain',
  '1.3': 'the address is malformed',
  '1.6': 'the mailbox has moved, without a new address',
  '1.7': 'the reverse-path is malformed',
  '1.8': 'the domain of the reverse-path does not resolve',
  '1.10': 'the domain takes no mail (null MX)',
  '2.1': 'the mailbox is disabled',
  '2.2': 'the mailbox is full',
  '2.3': 'the message is larger than the mailbox takes',
  '3.1': 'the mail system is full',
  '3.2': 'the host takes no mail now',
  '3.4': 'the message is too large',
  '4.1': 'no answer from the next host',
  '4.2': 'bad connection',
  '4.6': 'a mail loop',
  '4.7': 'it has waited for too long',
  '5.1': 'the command is not known, or not in this order',
  '5.2': 'malformed command',
  '5.3': 'too many recipients',
  '5.4': 'malformed or unwanted parameter',
  '6.3': 'the content would have to be converted',
  '6.7': 'needs SMTPUTF8',
  '7.0': 'refused by policy',
  '7.1': 'delivery not authorised',
  '7.4': 'a security feature is not supported',
  '7.8': 'the credentials are wrong',
  '7.9': 'this way to log in is too weak',
  '7.11': 'encryption needed',
  '7.20': 'no DKIM signature that passes',
  '7.23': 'SPF fails',
  '7.25': 'no reverse DNS for our address',
  '7.26': 'more than one check of authenticity fails',
}

/** A few words, or `''` where the reply says it all. */
export function explain(reply: HeardReply, command: string | null): string {
  const { code, status } = reply
  if (code === null) return 'this is no SMTP reply'
  if (code === 334) return challenge(reply) ?? byCode[334] ?? ''
  // Subject 5, the protocol: the code says the same more exactly (RFC 3463 §3.6).
  const isTelling = status !== null && code >= 400 && !(status[2] === '5' && byCode[code] !== undefined)
  const known = isTelling ? byStatus[status.slice(2)] : undefined
  if (known !== undefined) return `${known}${code < 500 ? ': try later' : ''}`
  return byCommand[command ?? '']?.[code] ?? byCode[code] ?? byDigit[`${code}`[0] ?? ''] ?? ''
}

/** What a server asks for in AUTH stands in base64 (RFC 4954 §4); shown when it is text. */
function challenge(reply: HeardReply): string | null {
  const encoded = heardText(reply).slice(4).trim()
  if (!/^[\w+/]{2,200}={0,2}$/.test(encoded)) return null
  const text = Buffer.from(encoded, 'base64').toString('latin1')
  return /^[ -~]+$/.test(text) ? `asks "${text}", in base64` : null
}

const keywords: Readonly<Record<string, string>> = {
  '8BITMIME': 'octets over 127 in the content',
  AUTH: 'login, in these ways',
  BINARYMIME: 'content without lines, by BDAT',
  CHUNKING: 'content in chunks: BDAT',
  DSN: 'wishes about reports: NOTIFY, ORCPT, RET, ENVID',
  ENHANCEDSTATUSCODES: 'replies carry codes like 5.1.1',
  ETRN: 'ask it to start its queue',
  HELP: 'HELP',
  LIMITS: 'how much it takes at once',
  PIPELINING: 'several commands at once',
  REQUIRETLS: 'messages that must not travel in clear',
  SIZE: 'the largest message, in octets',
  SMTPUTF8: 'addresses in UTF-8',
  STARTTLS: 'encryption from here on',
  VRFY: 'VRFY',
}

/** What an extension in a reply to EHLO is good for; `''` when we do not know. */
export function explainKeyword(line: string): string {
  const [keyword = ''] = line.trim().toUpperCase().split(/[ =]/)
  return keywords[keyword] ?? ''
}
