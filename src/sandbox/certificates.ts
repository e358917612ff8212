/**
 * The sandbox's certificates, made anew at every start: nothing secret is shipped and nothing expires in the
 * repository. node:crypto makes the keys and signatures, `der.ts` the few structures around them (RFC 5280 §4.1).
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import * as der from './der.ts'

/** What an exchanger shows at STARTTLS; all but `trusted` are not to be believed. */
export type CertificateKind = 'trusted' | 'self-signed' | 'expired' | 'wrong-name'

/** A private key and its certificate, both PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** The certificate of the authority that signed all but the self-signed one, and one of each kind. */
export interface Certificates {
  readonly ca: string
  readonly kinds: Readonly<Record<CertificateKind, Certificate>>
}

interface Subject {
  readonly commonName: string
  /** dNSName entries; none makes the certificate that of an authority. */
  readonly names?: readonly string[]
  /** Days from now; default -1 and 365. */
  readonly validDays?: readonly [from: number, to: number]
}

interface Issuer {
  readonly commonName: string
  readonly key: KeyObject
}

interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const dayMs = 86_400_000

// ecdsa-with-SHA256 (RFC 5758 §3.2).
const signatureAlgorithm = (): Uint8Array => der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'))

const distinguishedName = (commonName: string): Uint8Array =>
  der.sequence(der.set(der.sequence(der.objectIdentifier('2.5.4.3'), der.utf8String(commonName))))

const validity = ([from, to]: readonly [number, number]): Uint8Array =>
  der.sequence(der.time(new Date(Date.now() + from * dayMs)), der.time(new Date(Date.now() + to * dayMs)))

const criticalExtension = (identifier: string, content: Uint8Array): Uint8Array =>
  der.sequence(der.objectIdentifier(identifier), der.yes(), der.octetString(content))

/** An authority says that it is one (RFC 5280 §4.2.1.9), a host lists its names (§4.2.1.6). */
const extensions = (names: readonly string[] | undefined): Uint8Array => {
  if (names === undefined) return criticalExtension('2.5.29.19', der.sequence(der.yes()))
  const alternatives = names.map((name) => der.value(0x82, Buffer.from(name)))
  return der.sequence(der.objectIdentifier('2.5.29.17'), der.octetString(der.sequence(...alternatives)))
}

const pem = (label: string, octets: Uint8Array): string => {
  const lines =
    Buffer.from(octets)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

const issueCertificate = (subject: Subject, publicKey: KeyObject, issuer: Issuer): string => {
  const content = der.sequence(
    der.value(0xa0, der.integer(Uint8Array.of(2))), // version 3
    der.integer(Uint8Array.of(1, ...randomBytes(15))),
    signatureAlgorithm(),
    distinguishedName(issuer.commonName),
    validity(subject.validDays ?? [-1, 365]),
    distinguishedName(subject.commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der.value(0xa3, der.sequence(extensions(subject.names))),
  )
  const signature = sign('sha256', content, issuer.key)
  return pem('CERTIFICATE', der.sequence(content, signatureAlgorithm(), der.bitString(signature)))
}

const makeKeyPair = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' })

const pemOfKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Makes the authority and one certificate of each kind; `names` are the hosts they are for. */
export const makeCertificates = (names: readonly string[]): Certificates => {
  const authorityKeys = makeKeyPair()
  const authority = { commonName: 'mxpress sandbox authority', key: authorityKeys.privateKey }
  const issue = (subject: Subject): Certificate => {
    const { publicKey, privateKey } = makeKeyPair()
    return { key: pemOfKey(privateKey), cert: issueCertificate(subject, publicKey, authority) }
  }
  const signItself = (subject: Subject): Certificate => {
    const { publicKey, privateKey } = makeKeyPair()
    const issuer = { commonName: subject.commonName, key: privateKey }
    return { key: pemOfKey(privateKey), cert: issueCertificate(subject, publicKey, issuer) }
  }
  const commonName = 'mxpress sandbox'
  return {
    ca: issueCertificate(authority, authorityKeys.publicKey, authority),
    kinds: {
      trusted: issue({ commonName, names }),
      'self-signed': signItself({ commonName, names }),
      expired: issue({ commonName, names, validDays: [-30, -1] }),
      'wrong-name': issue({ commonName, names: ['mx.elsewhere.test'] }),
    },
  }
}
