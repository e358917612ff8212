/**
 * The options for the program: what is a value, and what is the default. `options.ts` says what they mean.
 * One rule: a key's `error` completes the sentence "Expected `key` to be …".
 */
import { z } from 'zod'
import { toAscii } from './dkim-names.ts'
import { isAddressLiteral, isFqdn, isHostAndPort, isIp, isIpAndPort, isListenAddress } from './host.ts'
import type {
  AgentOptions,
  DeliveryOptions,
  DnsOptions,
  DoctorOptions,
  LogOptions,
  ProbingOptions,
  QueueOptions,
  RelayOptions,
  SmtpOptions,
  SubmissionOptions,
  TimeoutOptions,
  TlsOptions,
} from './options.ts'
import { authMechanisms } from './relay-settings.ts'
import { dkim } from './schema-dkim.ts'
import {
  directory,
  oneOf,
  path,
  section,
  size,
  text,
  timeLimit,
  waitingTime,
  wholeNumber,
} from './schema-values.ts'

const hostname = text(
  'a fully qualified domain name such as "mail.example.org", or an address literal such as "[192.0.2.1]"',
  (value) => isAddressLiteral(value) || isFqdn(toAscii(value)),
).transform((value) => (isAddressLiteral(value) ? value : toAscii(value)))

const ip = text('an IP address such as "192.0.2.1" or "2001:db8::1"', isIp)

const sourceHostnames = z
  .record(z.string(), hostname, { error: 'a table of IP addresses and names' })
  .superRefine((table, context) => {
    for (const key of Object.keys(table).filter((address) => !isIp(address))) {
      context.addIssue({ code: 'custom', path: [key], message: 'named by an IP address such as "192.0.2.1"' })
    }
  })
  .default({})

const server = text(
  'an IP address with or without a port, such as "192.0.2.53" or "[2001:db8::53]:5353"',
  isIpAndPort,
)

const relayHost = text(
  'a host name or an IP address without a port, which is `port`',
  (value) => isIp(value) || (isHostAndPort(value) && !/[:[\]]/.test(value)),
)

const relayUser = text('the name to log in with', (value) => value !== '' && !/[\0-\x1f\x7f]/.test(value))

const variableName = text('the name of an environment variable', (value) => /^[A-Za-z_]\w*$/.test(value))

const credentialName = text(
  'the name of a systemd credential',
  (value) => /^[^/\0]{1,255}$/.test(value) && !value.startsWith('.'),
)

/** The one option that no text can say: it is in no file, variable or example. */
export const programPassword = z.custom<() => string | Promise<string>>(
  (value) => typeof value === 'function',
  { error: 'a function of a program; elsewhere use `passwordFile`, `passwordEnv` or `passwordCredential`' },
)

const relayShape = {
  host: relayHost.optional(),
  port: wholeNumber(1, 65_535).optional(),
  implicitTls: z.boolean({ error: 'true or false' }).optional(),
  tls: oneOf('off', 'opportunistic', 'required', 'verified').optional(),
  user: relayUser.optional(),
  passwordFile: path.optional(),
  passwordEnv: variableName.optional(),
  passwordCredential: credentialName.optional(),
  password: programPassword.optional(),
  mechanisms: z
    .array(oneOf(...authMechanisms), { error: 'a list of mechanisms' })
    .min(1, { error: 'a list of at least one mechanism' })
    .optional(),
  allowPlaintextAuth: z.boolean({ error: 'true or false' }).optional(),
  recipientsPerTransaction: wholeNumber(1).optional(),
} satisfies Record<keyof RelayOptions, z.ZodType>

const relayOptions = z.strictObject(relayShape, { error: 'a table that describes a relay' })

const relay = relayOptions.extend({
  domains: z.array(z.string({ error: 'a domain' }), { error: 'a list of domains' }).optional(),
})

const routeTarget = text(
  'a host with or without a port, such as "10.0.0.5:2525" or "mx.example.net"',
  isHostAndPort,
)

/** Text or a table; each is held against its own schema, so that a complaint names the key. */
const routeEntry = z.unknown().transform((value, context): string | z.output<typeof relayOptions> => {
  const schema =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? relayOptions : routeTarget
  const result = schema.safeParse(value)
  if (result.success) return result.data
  context.issues.push(...result.error.issues.map((issue) => ({ ...issue, input: value }) as never))
  return z.NEVER
})

const listenAddress = text(
  'an IP address and a port, such as "127.0.0.1:2525" or "[::1]:2525"',
  isListenAddress,
)

const dns = section({
  servers: z.array(server, { error: 'a list of name servers' }).default([]),
  timeout: timeLimit('5s'),
} satisfies Record<keyof DnsOptions, z.ZodType>)

const smtp = section({
  port: wholeNumber(1, 65_535).default(25),
  allowLocalAddresses: z.boolean({ error: 'true or false' }).default(false),
} satisfies Record<keyof SmtpOptions, z.ZodType>)

const timeouts = section({
  connect: timeLimit('30s'),
  greeting: timeLimit('5m'),
  ehlo: timeLimit('5m'),
  starttls: timeLimit('1m'),
  mail: timeLimit('5m'),
  rcpt: timeLimit('5m'),
  dataInitiation: timeLimit('2m'),
  dataBlock: timeLimit('3m'),
  dataTermination: timeLimit('10m'),
  quit: timeLimit('5s'),
} satisfies Record<keyof TimeoutOptions, z.ZodType>)

const delivery = section({
  concurrency: wholeNumber(1).default(50),
  perSite: wholeNumber(1).default(5),
  maxTargets: wholeNumber(1).default(20),
  messagesPerSession: wholeNumber(1).default(100),
  recipientsPerTransaction: wholeNumber(1).default(1),
} satisfies Record<keyof DeliveryOptions, z.ZodType>)

const tls = section({
  mode: oneOf('off', 'opportunistic', 'required', 'verified').default('opportunistic'),
  minVersion: oneOf('TLSv1.2', 'TLSv1.3').default('TLSv1.2'),
  caFile: path.optional(),
} satisfies Record<keyof TlsOptions, z.ZodType>)

const log = section({
  file: path.optional(),
  format: oneOf('classic', 'json').default('classic'),
} satisfies Record<keyof LogOptions, z.ZodType>)

const queue = section({
  dir: directory.default('queue'),
  retryFirst: waitingTime('5m', 1),
  retryMax: waitingTime('4h', 1),
  expire: waitingTime('5d', 1),
  delayWarning: waitingTime('4h', 0),
  onUncertain: oneOf('retry', 'hold').default('retry'),
} satisfies Record<keyof QueueOptions, z.ZodType>)

const submission = section({
  listen: z.array(listenAddress, { error: 'a list of addresses to listen at' }).default(['127.0.0.1:2525']),
  maxSize: size('50MB'),
  maxRecipients: wholeNumber(100).default(1_000),
  maxConnections: wholeNumber(1).default(200),
  certFile: path.optional(),
  keyFile: path.optional(),
  usersFile: path.optional(),
} satisfies Record<keyof SubmissionOptions, z.ZodType>)

const domainName = text('a domain such as "example.org"', (value) =>
  isFqdn(toAscii(value.replace(/\.$/, ''))),
).transform((value) => toAscii(value.replace(/\.$/, '')))

const doctor = section({
  domain: domainName.optional(),
  receivers: z
    .array(domainName, { error: 'a list of domains' })
    .default(['gmail.com', 'outlook.com', 'yahoo.com', 'icloud.com', 'comcast.net']),
  addressLists: z
    .array(domainName, { error: 'a list of block lists' })
    .default(['zen.spamhaus.org', 'bl.spamcop.net', 'b.barracudacentral.org', 'psbl.surriel.com']),
  domainLists: z.array(domainName, { error: 'a list of block lists' }).default(['dbl.spamhaus.org']),
} satisfies Record<keyof DoctorOptions, z.ZodType>)

// Whether a mailbox can have that name is for `mail/` to say, when it is used.
const reversePath = text('an address such as "probe@example.org", or "<>"', (value) =>
  /^(?:<>|[^@\s<>][^\s<>]*@[^@\s<>]+)$/.test(value),
)

const probe = section({
  from: reversePath.default('<>'),
  timeout: timeLimit('30s'),
  concurrency: wholeNumber(1).default(50),
  perSite: wholeNumber(1).default(2),
  perSession: wholeNumber(1).default(10),
} satisfies Record<keyof ProbingOptions, z.ZodType>)

/** Accepts `AgentOptions` and fills in the defaults; durations come out in milliseconds. */
export const optionsSchema = z.strictObject(
  {
    hostname: hostname.optional(),
    sourceAddresses: z.array(ip, { error: 'a list of IP addresses' }).default([]),
    sourceHostnames,
    dns,
    smtp,
    timeouts,
    delivery,
    tls,
    dkim,
    routes: z.record(z.string(), routeEntry, { error: 'a table of domains and hosts' }).default({}),
    relay: relay.optional(),
    fallbackRelay: relayOptions.optional(),
    log,
    queue,
    submission,
    doctor,
    probe,
  } satisfies Record<keyof AgentOptions, z.ZodType>,
  { error: 'an object of options' },
)
