/**
 * THE table: what an end of an inquiry says about the target. Nothing else decides that; what the same end would mean for
 * a message is for delivery/classify.ts alone, and asked there.
 *
 * One rule: a mailbox is `rejects` only when RCPT was refused for good in words, status or code that speak of the mailbox.
 * A refusal that speaks of us is never held against the mailbox, and a 4xx is never final.
 */
import { classifyTransaction } from '../delivery/classify.ts'
import type { Cause } from '../delivery/outcome.ts'
import { RouteError, type RouteErrorKind } from '../route/route.ts'
import {
  ConnectError,
  ConnectionLostError,
  LocalProtocolError,
  RemoteProtocolError,
  TimeoutError,
  TlsError,
} from '../smtp/errors.ts'
import type { Reply } from '../smtp/reply.ts'
import { InterruptedError } from './interrupted.ts'
import { speaksOf, type Topic } from './reply-words.ts'

/**
 * - `accepts`: the mailbox, or the domain's postmaster, would be sent mail to · `accepts-all`: and a made-up one too
 * - `rejects`: no such mailbox · `full`: no room in it · `greylisted`: ask again later
 * - `refused-us`: they want no mail from here · `unreachable`: nobody to talk to, just now
 * - `no-mail`: the domain accepts none · `no-domain`: it does not exist · `unknown`: nothing of all this
 */
export type Verdict =
  | 'accepts'
  | 'accepts-all'
  | 'rejects'
  | 'full'
  | 'greylisted'
  | 'refused-us'
  | 'unreachable'
  | 'no-mail'
  | 'no-domain'
  | 'unknown'

/** What one end says. */
export interface Ruling {
  readonly verdict: Verdict
  /** One sentence, for people. */
  readonly means: string
}

/** A line of the table: everything that is said must hold; the first line that holds counts. */
interface Rule extends Ruling {
  /** `connect` and what follows up to RCPT; absent: any. */
  readonly at?: readonly Cause['stage'][]
  /** How the reply code begins. */
  readonly code?: RegExp
  /** How the status begins; the server's own only. */
  readonly status?: RegExp
  readonly says?: Topic
  readonly saysNot?: Topic
}

const opening = ['greeting', 'ehlo'] as const
const envelope = ['mail', 'rcpt'] as const

const inTime = 'We are new to them (greylisting): the same question, asked again later, gets the real answer.'
const roomless = 'The mailbox exists and has no room for more mail.'
const rejected = 'The server knows no such mailbox.'
const unwanted = 'They want no mail from this host or sender; it says nothing about the mailbox.'
const distrusted = 'For now they take no mail from this host or sender; it says nothing about the mailbox.'
const undecided = 'The server put the question off without saying that it is about the mailbox or about us.'

const replyRules: readonly Rule[] = [
  // Yes. RFC 5321 §3.4, §3.5.3: 251 will forward, 252 cannot say and will take it.
  {
    at: ['rcpt'],
    code: /^251/,
    verdict: 'accepts',
    means: 'The server would take mail for it, and forward it.',
  },
  { at: ['rcpt'], code: /^2/, verdict: 'accepts', means: 'The server would take mail for it.' },

  // No server for mail at all (RFC 7504, RFC 7505 §4.2), unless the words are about us.
  {
    at: opening,
    code: /^(521|556)/,
    saysNot: 'us',
    verdict: 'no-mail',
    means: 'The host says that it takes no mail at all.',
  },
  { at: envelope, code: /^556/, verdict: 'no-mail', means: 'The server says that the domain takes no mail.' },
  {
    at: ['rcpt'],
    code: /^5/,
    status: /^5\.1\.10$/,
    verdict: 'no-mail',
    means: 'The server says that the domain takes no mail.',
  },

  // Not now.
  { at: [...opening, ...envelope], code: /^4/, says: 'greylist', verdict: 'greylisted', means: inTime },
  { at: ['rcpt'], code: /^4/, status: /^4\.2\.2$/, verdict: 'full', means: roomless },
  { at: ['rcpt'], code: /^4/, says: 'full', verdict: 'full', means: roomless },
  { at: [...opening, ...envelope], code: /^4/, says: 'us', verdict: 'refused-us', means: distrusted },
  { at: opening, code: /^4/, status: /^4\.7\./, verdict: 'refused-us', means: distrusted },
  // Postfix's postscreen has no other words for a client that it sees for the first time.
  { at: ['rcpt'], code: /^45/, status: /^4\.3\.2$/, verdict: 'greylisted', means: inTime },
  {
    at: envelope,
    code: /^4/,
    says: 'trouble',
    verdict: 'unknown',
    means: 'The server has trouble of its own; ask again later.',
  },
  {
    at: envelope,
    code: /^45/,
    status: /^4\.(2\.0|7\.[01])$/,
    says: 'later',
    verdict: 'greylisted',
    means: inTime,
  },
  { at: envelope, code: /^4/, status: /^4\.(7\.|1\.[78]$)/, verdict: 'refused-us', means: distrusted },
  { at: [...opening, ...envelope], code: /^4/, verdict: 'unknown', means: undecided },

  // No to RCPT.
  { at: ['rcpt'], code: /^5/, status: /^5\.2\.2$/, verdict: 'full', means: roomless },
  { at: ['rcpt'], code: /^5/, says: 'full', verdict: 'full', means: roomless },
  {
    at: ['rcpt'],
    code: /^5/,
    says: 'relay',
    verdict: 'refused-us',
    means: 'The exchanger does not take mail for this domain from us; it says nothing about the mailbox.',
  },
  { at: ['rcpt'], code: /^5/, says: 'us', verdict: 'refused-us', means: unwanted },
  {
    at: ['rcpt'],
    code: /^5/,
    status: /^5\.1\.[78]$/,
    verdict: 'refused-us',
    means: 'They do not like the reverse-path; it says nothing about the mailbox.',
  },
  { at: ['rcpt'], code: /^5/, status: /^5\.(1\.|2\.1$)/, verdict: 'rejects', means: rejected },
  { at: ['rcpt'], code: /^5/, says: 'mailbox', verdict: 'rejects', means: rejected },
  { at: ['rcpt'], code: /^5/, status: /^5\.7\./, verdict: 'refused-us', means: unwanted },
  { at: ['rcpt'], code: /^552/, verdict: 'full', means: roomless },
  { at: ['rcpt'], code: /^55[13]/, verdict: 'rejects', means: rejected },
  {
    at: ['rcpt'],
    code: /^5/,
    verdict: 'unknown',
    means: 'A refusal for good that does not say whether it is about the mailbox or about us.',
  },

  // No before RCPT: no mailbox was named, so it is about us or about them.
  {
    at: ['mail'],
    code: /^50[0-4]/,
    verdict: 'unknown',
    means: 'The server does not understand the beginning of a transaction.',
  },
  { at: ['mail'], code: /^5/, verdict: 'refused-us', means: unwanted },
  { at: opening, code: /^50[0-4]/, verdict: 'unknown', means: 'The server does not speak SMTP as we do.' },
  { at: opening, code: /^5/, verdict: 'refused-us', means: unwanted },

  // A refused STARTTLS ends a session only where TLS was asked for.
  { at: ['starttls'], verdict: 'unreachable', means: 'There is no session with the TLS that was asked for.' },
]

const noSession = 'The host answered the connection and then did not speak, so no mail gets in just now.'

const errorRules: readonly (readonly [
  error: abstract new (...args: never) => Error,
  at: readonly Cause['stage'][],
  ruling: Ruling,
])[] = [
  [ConnectError, ['connect'], { verdict: 'unreachable', means: 'No address answered.' }],
  [
    TlsError,
    ['starttls', 'ehlo'],
    { verdict: 'unreachable', means: 'There is no session with the TLS that was asked for.' },
  ],
  [ConnectionLostError, ['greeting', 'ehlo', 'starttls'], { verdict: 'unreachable', means: noSession }],
  [TimeoutError, ['greeting', 'ehlo', 'starttls'], { verdict: 'unreachable', means: noSession }],
  [ConnectionLostError, envelope, { verdict: 'unknown', means: 'The server hung up instead of answering.' }],
  [TimeoutError, envelope, { verdict: 'unknown', means: 'The server did not answer in time.' }],
  [
    RemoteProtocolError,
    [...opening, 'starttls', ...envelope],
    { verdict: 'unknown', means: 'What answers there does not keep the rules of SMTP.' },
  ],
  [
    InterruptedError,
    ['policy'],
    { verdict: 'unknown', means: 'The probe was stopped before there was an answer.' },
  ],
  [
    LocalProtocolError,
    ['policy'],
    { verdict: 'unknown', means: 'The server does not offer SMTPUTF8, which the address needs.' },
  ],
]

const routeRulings = {
  'no-domain': { verdict: 'no-domain', means: 'The domain does not exist.' },
  'null-mx': { verdict: 'no-mail', means: 'The domain says in DNS that it accepts no mail (null MX).' },
  dns: { verdict: 'unknown', means: 'The name servers failed, so nobody knows just now who takes its mail.' },
  loop: { verdict: 'unreachable', means: 'Its exchanger is this very host.' },
  'no-address': { verdict: 'unreachable', means: 'Its exchangers have no address that could be dialled.' },
  forbidden: {
    verdict: 'unreachable',
    means: 'DNS names only addresses that are not public (see --allow-local-addresses).',
  },
} as const satisfies Record<RouteErrorKind, Ruling>

/** Neither exchanger nor address: there is nobody whom the mail could be brought to (RFC 5321 §5.1). */
const nobody: Ruling = {
  verdict: 'no-mail',
  means: 'The domain has neither an MX record nor an address, so nobody takes its mail.',
}

/** What an end of an inquiry says. `isImplicit`: the exchanger is the domain itself. */
export function rule(cause: Cause, { isImplicit = false }: { readonly isImplicit?: boolean } = {}): Ruling {
  const { reply, error, stage } = cause
  if (reply !== undefined) return ruleOnReply(stage, reply)
  if (error instanceof RouteError) {
    return error.kind === 'no-address' && isImplicit ? nobody : routeRulings[error.kind]
  }
  const found = errorRules.find(([kind, at]) => error instanceof kind && at.includes(stage))
  return found?.[2] ?? { verdict: 'unknown', means: 'The probe itself went wrong.' }
}

function ruleOnReply(stage: Cause['stage'], reply: Reply): Ruling {
  const speaks = speaksOf(reply)
  const { verdict, means } = replyRules.find((line) => holds(line, stage, reply, speaks)) ?? {
    verdict: 'unknown',
    means: undecided,
  }
  return { verdict, means }
}

function holds(line: Rule, stage: Cause['stage'], reply: Reply, speaks: (topic: Topic) => boolean): boolean {
  const { at, code, status, says, saysNot } = line
  if (at !== undefined && !at.includes(stage)) return false
  if (code !== undefined && !code.test(`${reply.code}`)) return false
  if (status !== undefined && !status.test(reply.status ?? '')) return false
  if (says !== undefined && !speaks(says)) return false
  return saysNot === undefined || !speaks(saysNot)
}

/** Whether a message would end here too, so that no other exchanger would be asked after this one. */
export function isLastWord({ stage, reply }: Cause): boolean {
  if (reply === undefined || (stage !== 'mail' && stage !== 'rcpt')) return false
  if (reply.code < 300) return true
  const end = { stage, reply, error: null, isContentSent: false, repliesSeen: 1, isChunkingRefused: false }
  return classifyTransaction(end, { isReused: false }).kind === 'failed'
}

/** Of several exchangers none of which has the last word: the one that says most. */
export const telling: readonly Verdict[] = [
  'greylisted',
  'full',
  'refused-us',
  'unknown',
  'no-mail',
  'unreachable',
]
