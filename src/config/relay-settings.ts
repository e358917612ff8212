/**
 * A relay's options made into settings. One rule: what no single key can show to be wrong, because it takes two, is
 * found here, before anything is connected to.
 */
import type { RelayOptions } from './options.ts'
import type { SecretSource } from './secret.ts'

/** How to log in. */
export interface LoginSettings {
  readonly user: string
  readonly secret: SecretSource
  /** Of these the strongest that the relay offers. */
  readonly mechanisms: readonly AuthMechanism[]
  readonly allowPlaintextAuth: boolean
}

/** One relay. */
export interface RelaySettings {
  readonly host: string
  readonly port: number
  /** TLS from the first octet on (RFC 8314 §3.3), not by STARTTLS. */
  readonly isTlsImplicit: boolean
  readonly tlsMode: 'off' | 'opportunistic' | 'required' | 'verified'
  /** `null`: nobody logs in. */
  readonly login: LoginSettings | null
  readonly recipientsPerTransaction: number
}

/** A relay, and the domains whose mail goes through it. */
export interface RelayForDomains extends RelaySettings {
  readonly domains: readonly string[]
}

/** What `mechanisms` may name. */
export const authMechanisms = ['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN', 'XOAUTH2'] as const
/** One of them. */
export type AuthMechanism = (typeof authMechanisms)[number]

/** Message submission (RFC 6409 §3.1), and over implicit TLS (RFC 8314 §3.3). */
const SUBMISSION_PORT = 587
const IMPLICIT_TLS_PORT = 465

const secretKeys = ['password', 'passwordFile', 'passwordEnv', 'passwordCredential'] as const

/** A relay's options, as the schema gives them. */
export type RelayTable = { readonly [Key in keyof RelayOptions]?: RelayOptions[Key] | undefined }

/** What of the options does not go together, each a sentence; `name` is the table's, such as `relay`. */
export function relayProblems(options: RelayTable, name: string): readonly string[] {
  const sources = secretKeys.filter((key) => options[key] !== undefined)
  const problems: string[] = []
  // An empty table is none: so the example has it.
  const isEmpty = Object.values(options).every((value) => value === undefined)
  if (options.host === undefined && !(isEmpty && !name.startsWith('routes'))) {
    problems.push(`Expected \`${name}.host\` to be given with the rest of \`${name}\``)
  }
  if (sources.length > 1) {
    problems.push(
      `Expected one of ${sources.map((key) => `\`${name}.${key}\``).join(' and ')}, got ${sources.length}`,
    )
  }
  if (options.user !== undefined && sources.length === 0) {
    problems.push(
      `Expected \`${name}.user\` to come with \`passwordFile\`, \`passwordEnv\` or \`passwordCredential\`, got none`,
    )
  }
  if (options.user === undefined && sources.length > 0) {
    problems.push(`Expected \`${name}.${sources[0]}\` to come with \`${name}.user\`, got none`)
  }
  if (options.tls === 'off' && isTlsImplicit(options)) {
    problems.push(
      `Expected \`${name}.tls\` to be other than "off" for implicit TLS (port ${portOf(options)}): set \`${name}.implicitTls\` to false, or another port`,
    )
  }
  // A token is no password: which of the two the secret is must be clear.
  if (options.mechanisms?.includes('XOAUTH2') && options.mechanisms.length > 1) {
    problems.push(`Expected \`${name}.mechanisms\` to name "XOAUTH2" alone, as its password is a token`)
  }
  return problems
}

/** The settings; `null` when the options name no host. */
export function relaySettings(options: RelayTable): RelaySettings | null {
  const { host, tls = 'verified', recipientsPerTransaction = 50 } = options
  if (host === undefined) return null
  return {
    host,
    port: portOf(options),
    isTlsImplicit: isTlsImplicit(options),
    tlsMode: tls,
    login: loginSettings(options),
    recipientsPerTransaction,
  }
}

function loginSettings(options: RelayTable): LoginSettings | null {
  const { user, allowPlaintextAuth = false } = options
  const secret = secretSource(options)
  if (user === undefined || secret === null) return null
  const mechanisms = options.mechanisms ?? authMechanisms.filter((name) => name !== 'XOAUTH2')
  return { user, secret, mechanisms, allowPlaintextAuth }
}

function secretSource(options: RelayTable): SecretSource | null {
  const { password, passwordFile, passwordEnv, passwordCredential } = options
  if (password !== undefined) return { kind: 'program', read: password }
  if (passwordFile !== undefined) return { kind: 'file', file: passwordFile }
  if (passwordEnv !== undefined) return { kind: 'variable', name: passwordEnv }
  return passwordCredential === undefined ? null : { kind: 'credential', name: passwordCredential }
}

function portOf({ port = SUBMISSION_PORT }: RelayTable): number {
  return port
}

function isTlsImplicit(options: RelayTable): boolean {
  return options.implicitTls ?? portOf(options) === IMPLICIT_TLS_PORT
}
