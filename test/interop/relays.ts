/** Real mail servers as relays: at 587 by STARTTLS and at 465 under TLS, for one user who has to log in. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { type CyrusSasl, hasCyrusSasl, makeCyrusSasl } from '../support/mta/cyrus-sasl.ts'
import { startExim } from '../support/mta/exim.ts'
import { makeHome, removeHome } from '../support/mta/home.ts'
import { findInstallation, sayMissing } from '../support/mta/installation.ts'
import type { Mta } from '../support/mta/mta.ts'
import { startPostfix } from '../support/mta/postfix.ts'

export const known = { user: 'me@relay.test', password: 'pen cil=ü, and more' }
export const mailboxes = ['bob', 'carol', 'dave', 'queued', 'handed', 'fallen']
/** More of them than Postfix takes at once, and than it refuses in one session. */
export const crowd = Array.from({ length: 45 }, (_, at) => `member${at}`)
/** Postfix takes no more in one transaction than this. */
export const recipientLimit = 20

/** A relay and the way to it; close it. */
export interface RealRelay extends AsyncDisposable {
  readonly mta: Mta
  /** Trusts its certificate. */
  readonly caFile: string
}

/** What a suite may change of a relay. */
export interface RelayChanges {
  /** Of Cyrus SASL; Exim has its own. */
  readonly mechanisms?: readonly string[]
  readonly hasExpired?: boolean
  /** Of the user. Default: that of `known`. */
  readonly password?: string
}

/** A server that this machine may have. */
export interface RelayKind {
  readonly name: string
  /** Why not here; `null` when it is. */
  readonly missing: string | null
  /** What it offers under TLS that we use, strongest first. */
  readonly mechanisms: readonly string[]
  start(changes?: RelayChanges): Promise<RealRelay>
}

const address = (): string => `127.${octet()}.${octet()}.${octet()}`
const octet = (): number => 1 + Math.floor(Math.random() * 254)

function missing(name: 'postfix' | 'exim'): string | null {
  const installation = findInstallation(name)
  if (installation.kind === 'missing') return installation.reason
  if (name === 'exim' || hasCyrusSasl) return null
  const reason = 'Cyrus SASL is not there; .ci/system-packages puts it there'
  sayMissing('Postfix with SASL', reason)
  return reason
}

function rootOf(name: 'postfix' | 'exim'): string {
  const installation = findInstallation(name)
  if (installation.kind === 'missing') throw new Error(installation.reason)
  return installation.root
}

const postfix: RelayKind = {
  name: 'Postfix with Cyrus SASL',
  missing: missing('postfix'),
  mechanisms: ['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN'],
  start: async ({ mechanisms = postfix.mechanisms, hasExpired = false, password = known.password } = {}) => {
    await using made = new AsyncDisposableStack()
    const realm = 'relay.test'
    const sasl: CyrusSasl = await makeCyrusSasl({ user: 'me', password, realm, mechanisms })
    made.defer(() => sasl.close())
    const ip = address()
    const expired = hasExpired ? await expiredCertificate(ip) : null
    if (expired !== null) made.defer(() => removeHome(expired.home))
    const mta = await startPostfix(rootOf('postfix'), {
      address: ip,
      domain: 'postfix.test',
      mailboxes: [...mailboxes, ...crowd],
      env: sasl.env,
      sasl: sasl.sasl,
      settings: {
        ...sasl.settings,
        smtpd_recipient_restrictions: 'permit_sasl_authenticated, reject',
        smtpd_recipient_limit: String(recipientLimit),
        // Postfix makes clients wait a second for each error after ten, which would only make the tests long.
        smtpd_error_sleep_time: '0s',
        smtpd_tls_auth_only: 'yes',
        ...(expired === null ? {} : { smtpd_tls_cert_file: expired.cert, smtpd_tls_key_file: expired.key }),
      },
      services: [
        `${ip}:587 inet n - n - - smtpd -o smtpd_tls_security_level=encrypt`,
        `${ip}:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes`,
      ],
    })
    made.defer(() => mta.close())
    return relayOf(mta, expired?.ca ?? mta.certificateFile, made.move())
  },
}

const exim: RelayKind = {
  name: 'Exim',
  missing: missing('exim'),
  mechanisms: ['CRAM-MD5', 'PLAIN', 'LOGIN'],
  start: async () => {
    await using made = new AsyncDisposableStack()
    const mta = await startExim(rootOf('exim'), {
      address: address(),
      domain: 'exim.test',
      mailboxes,
      user: { name: known.user, password: known.password },
      ports: [587, 465],
    })
    made.defer(() => mta.close())
    return relayOf(mta, mta.certificateFile, made.move())
  },
}

function relayOf(mta: Mta, caFile: string, made: AsyncDisposableStack): RealRelay {
  return { mta, caFile, [Symbol.asyncDispose]: () => made.disposeAsync() }
}

/** One that chains to a CA which is trusted, but for its age. */
async function expiredCertificate(ip: string) {
  const home = await makeHome('expired')
  const { ca, kinds } = makeCertificates(['mx.postfix.test', ip])
  const files = { ca: join(home, 'ca.pem'), cert: join(home, 'cert.pem'), key: join(home, 'key.pem') }
  await Promise.all([
    writeFile(files.ca, ca),
    writeFile(files.cert, kinds.expired.cert),
    writeFile(files.key, kinds.expired.key),
  ])
  return { home, ...files }
}

/** All there are. */
export const relayKinds: readonly RelayKind[] = [postfix, exim]
/** The one that can be changed. */
export const postfixRelay: RelayKind = postfix
