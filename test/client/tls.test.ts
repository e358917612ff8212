import { randomBytes } from 'node:crypto'
import tls from 'node:tls'
import { describe, expect, test } from 'vitest'
import type { Session } from '../../src/client/session.ts'
import { TlsClient } from '../../src/client/tls.ts'
import { type CertificateKind, makeCertificates } from '../../src/sandbox/certificates.ts'
import { scripted } from '../support/scripted.ts'
import type { ScriptedServer } from '../support/scripted-server.ts'
import { ordinary } from '../support/scripted-steps.ts'
import { HOST, type OpenOptions, open, refusalOf } from './open.ts'

const { ca, kinds } = makeCertificates([HOST])
const trusting = () => new TlsClient({ ca: [ca] })

type Version = 'TLSv1.2' | 'TLSv1.3'

// Contexts with these know each other's tickets, as those of a server do that got a new certificate.
const ticketKeys = randomBytes(48)

async function tlsServer(kind: CertificateKind, version: Version = 'TLSv1.3'): Promise<ScriptedServer> {
  const versions = { minVersion: version, maxVersion: version }
  const secureContext = tls.createSecureContext({ ...kinds[kind], ...versions, ticketKeys })
  return scripted(ordinary({ offers: ['STARTTLS'], secureContext }))
}

async function tlsOf(server: ScriptedServer, options: OpenOptions): Promise<Session['tls']> {
  const session = await open(server, options)
  await session.quit()
  return session.tls
}

describe('the second session with an exchanger', () => {
  test.each<Version>(['TLSv1.2', 'TLSv1.3'])(
    'is resumed and keeps its verified verdict (%s)',
    async (version) => {
      const server = await tlsServer('trusted', version)
      const tlsClient = trusting()
      expect(await tlsOf(server, { tlsClient })).toMatchObject({
        protocol: version,
        resumed: false,
        verified: true,
      })
      for (const mode of ['opportunistic', 'required', 'verified'] as const) {
        expect(await tlsOf(server, { tlsClient, tls: mode })).toMatchObject({
          protocol: version,
          resumed: true,
          verified: true,
          reason: null,
        })
      }
    },
  )

  test('is resumed and stays unverified, with the reason', async () => {
    const server = await tlsServer('wrong-name')
    const tlsClient = trusting()
    for (const resumed of [false, true, true]) {
      expect(await tlsOf(server, { tlsClient })).toMatchObject({
        resumed,
        verified: false,
        reason: 'the certificate names another host',
      })
    }
  })

  test('is not resumed from an unverified one when it has to be verified: the certificate may be new', async () => {
    const server = await tlsServer('wrong-name')
    const tlsClient = trusting()
    await tlsOf(server, { tlsClient })
    const refusal = await refusalOf(server, { tlsClient, tls: 'verified' })
    expect(refusal).toMatchObject({ stage: 'starttls', cause: { kind: 'certificate' } })
    await server.settled()
    server.script = ordinary({
      offers: ['STARTTLS'],
      secureContext: tls.createSecureContext({ ...kinds.trusted, ticketKeys }),
    })
    expect(await tlsOf(server, { tlsClient, tls: 'verified' })).toMatchObject({
      resumed: false,
      verified: true,
    })
  })

  test('is not resumed under another name, and judged anew', async () => {
    const server = await tlsServer('trusted')
    const tlsClient = trusting()
    await tlsOf(server, { tlsClient })
    expect(await tlsOf(server, { tlsClient, host: 'mx2.example.test' })).toMatchObject({
      resumed: false,
      verified: false,
      reason: 'the certificate names another host',
    })
  })

  test('is not resumed with another client', async () => {
    const server = await tlsServer('trusted')
    await tlsOf(server, { tlsClient: trusting() })
    expect(await tlsOf(server, { tlsClient: trusting() })).toMatchObject({ resumed: false })
  })

  test('begins anew, judged anew, where the server has forgotten the first', async () => {
    const server = await tlsServer('trusted')
    const tlsClient = trusting()
    await tlsOf(server, { tlsClient })
    const forgetful = tls.createSecureContext(kinds['self-signed'])
    server.script = ordinary({ offers: ['STARTTLS'], secureContext: forgetful })
    expect(await tlsOf(server, { tlsClient })).toMatchObject({
      resumed: false,
      verified: false,
      reason: 'self-signed certificate',
    })
  })
})

test('an address literal is verified against the addresses of the certificate', async () => {
  const server = await tlsServer('trusted')
  expect(await tlsOf(server, { tlsClient: trusting(), host: '[127.0.0.1]' })).toMatchObject({
    verified: false,
    reason: 'the certificate names another host',
  })
})

test('a server that got a bad certificate since is believed for as long as it knows our ticket', async () => {
  const server = await tlsServer('trusted')
  const tlsClient = trusting()
  await tlsOf(server, { tlsClient })
  const secureContext = tls.createSecureContext({ ...kinds.expired, ticketKeys })
  server.script = ordinary({ offers: ['STARTTLS'], secureContext })
  expect(await tlsOf(server, { tlsClient })).toMatchObject({ resumed: true, verified: true })
})

test('own authorities come beside those of the system, not instead of them', async () => {
  const client = tls.getCACertificates('default')
  expect(client.length).toBeGreaterThan(0)
  // A certificate of another authority is still not trusted.
  const other = makeCertificates([HOST])
  const server = await tlsServer('trusted')
  expect(await tlsOf(server, { tlsClient: new TlsClient({ ca: [other.ca] }) })).toMatchObject({
    verified: false,
  })
})
