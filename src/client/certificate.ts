/** What a peer's certificate says of itself. One rule: it is the peer's word, to be shown; it decides nothing. */
import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/** The parts of a certificate that people ask for; unescaped. */
export interface CertificateFacts {
  /** Its attributes on one line: `CN=mx.example.org, O=Example`. */
  readonly subject: string
  /** The host names and IP addresses it is for (RFC 5280 §4.2.1.6). */
  readonly names: readonly string[]
  readonly issuer: string
  /** ISO 8601, UTC; `''` where the certificate holds no date that can be read. */
  readonly validFrom: string
  readonly validTo: string
}

/** Names shown; shared hosts have hundreds, and a hostile one thousands. */
const MAX_NAMES = 100

/** The certificate that the peer has shown in a whole handshake; `null` when it showed none. */
export function certificateOf(socket: TLSSocket): CertificateFacts | null {
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? null : factsOf(certificate)
}

function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    subject: oneLine(certificate.subject),
    names: namesOf(certificate.subjectAltName),
    issuer: oneLine(certificate.issuer),
    validFrom: isoDate(certificate.validFrom),
    validTo: isoDate(certificate.validTo),
  }
}

// An attribute a line.
function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ')
}

// `DNS:a.test, IP Address:192.0.2.1`; a name with a comma in it stands in JSON's quotes, so that it cannot pose as two.
const entry = /(?:DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g

function namesOf(alternatives: string | undefined): readonly string[] {
  return [...(alternatives ?? '').matchAll(entry)].slice(0, MAX_NAMES).map(([, name = '']) => name)
}

function isoDate(text: string): string {
  const time = Date.parse(text)
  return Number.isNaN(time) ? '' : new Date(time).toISOString()
}
