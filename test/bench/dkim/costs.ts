/** Where the time of mailauth's `dkimSign` goes: its parts, each alone and as it calls them. */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { dkimBody } from 'mailauth/lib/dkim/body/index.js'
import { generateCanonicalizedHeader } from 'mailauth/lib/dkim/header/index.js'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import { formatSignatureHeaderLine } from 'mailauth/lib/tools.js'
import { takeJob, tellParent } from '../child.ts'
import { makeContent } from '../content.ts'

/** What a child is told. */
export interface CostJob {
  readonly octets: number
  readonly durationMs: number
}

/** Microseconds for one message, by part; `whole` is the call, the parts are what it is made of. */
export interface Costs {
  readonly whole: number
  readonly parts: Readonly<Record<string, number>>
}

const job = await takeJob<CostJob>()
const content = makeContent(job.octets)
const bodyAt = content.indexOf('\r\n\r\n') + 4
// Ed25519: beside its signature the rest can be seen.
const { privateKey } = generateKeyPairSync('ed25519')
const pem = String(privateKey.export({ format: 'pem', type: 'pkcs8' }))
const names = { signingDomain: 'sender.test', selector: 'bench' }
const signatureData = [{ ...names, privateKey: pem }]
const lines = content
  .subarray(0, bodyAt - 4)
  .toString('latin1')
  .split('\r\n')
  .map((line) => ({ line: Buffer.from(line, 'latin1') }))
const header = () =>
  generateCanonicalizedHeader(
    'DKIM',
    { keys: 'From: To: Subject: Date: Message-ID: MIME-Version: Content-Type', headers: lines },
    {
      ...names,
      algorithm: 'ed25519-sha256',
      canonicalization: 'relaxed/relaxed',
      bodyHash: 'x'.repeat(44),
      timestamp: 1_800_000_000,
      expiration: false,
    },
  )
const { canonicalizedHeader, dkimHeaderOpts } = header()
const tags = { ...dkimHeaderOpts, b: 'x'.repeat(88) }

tellParent({
  whole: await cost(() => dkimSign(content, { ...names, privateKey: pem, signatureData })),
  parts: {
    'the key read from its PEM': await cost(() => createPrivateKey(pem)),
    'the signature itself': await cost(() => sign(null, canonicalizedHeader, privateKey)),
    'the hash of the body': await cost(() => {
      const hash = dkimBody('relaxed', 'sha256')
      hash.update(content.subarray(bodyAt))
      hash.digest('base64')
    }),
    'the canonical header': await cost(header),
    'the field, folded': await cost(() => formatSignatureHeaderLine('DKIM', tags, true)),
  },
} satisfies Costs)

/** Microseconds for one call. */
async function cost(call: () => unknown): Promise<number> {
  await repeat(call, job.durationMs / 10)
  return repeat(call, job.durationMs / 5)
}

async function repeat(call: () => unknown, durationMs: number): Promise<number> {
  const startedAt = performance.now()
  let calls = 0
  while (performance.now() < startedAt + durationMs) {
    await call()
    calls++
  }
  return ((performance.now() - startedAt) / calls) * 1_000
}
