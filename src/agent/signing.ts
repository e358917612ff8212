/** The agent's signer: keys read before anything is sent, and what their operator should know said once. */
import type { DkimSettings, Settings } from '../config/settings.ts'
import type { RecordResolver, Resolver } from '../dns/resolver.ts'
import type { Unsigned } from '../mail/dkim/signer.ts'
import type { Signer } from '../mail/signer.ts'

/** What signing needs. */
export interface SigningParts {
  readonly settings: Pick<Settings, 'dkim' | 'queue'>
  /** Asked for the keys of signatures that messages carry already, if it can be. */
  readonly resolver: Resolver & Partial<RecordResolver>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Told of each message that should be signed and cannot be. */
  readonly onUnsigned: (unsigned: Unsigned) => void
}

/** A signer, and whole sentences for its operator. */
export interface Signing {
  /** `null`: no domain has keys. */
  readonly signer: Signer | null
  readonly warnings: readonly string[]
  /** Reads the keys again. @returns what their operator should know @throws {ConfigError} the former stay in use */
  readonly rereadKeys: () => Promise<readonly string[]>
}

/** Reads the keys. @throws {ConfigError} */
export async function openSigning({ settings, resolver, now, onUnsigned }: SigningParts): Promise<Signing> {
  const { dkim, queue } = settings
  if (dkim.length === 0) return { signer: null, warnings: [], rereadKeys: async () => [] }
  // A tenth of a second and thirty megabytes, for those who sign only.
  const { createSigner } = await import('../mail/dkim/signer.ts')
  let warnings = dkim.flatMap((domain) => expiryWarning(domain, queue.expireMs))
  const signer = await createSigner(dkim, {
    now,
    onUnsigned,
    onWarning: (text) => warnings.push(text),
    ...(resolver.resolveTxt === undefined ? {} : { lookUp: txtLookUp(resolver as RecordResolver) }),
  })
  const rereadKeys = async (): Promise<readonly string[]> => {
    warnings = []
    await signer.rereadKeys()
    return warnings
  }
  return { signer, warnings, rereadKeys }
}

function txtLookUp(resolver: RecordResolver): (name: string) => Promise<readonly string[]> {
  return async (name) => (await resolver.resolveTxt(name)).map((strings) => strings.join(''))
}

function expiryWarning({ domain, expireMs }: DkimSettings, queueExpireMs: number): string[] {
  if (expireMs === null || expireMs >= queueExpireMs) return []
  return [
    `dkim.${JSON.stringify(domain)}.expire is shorter than queue.expire: mail that waits longer arrives with a signature that has run out`,
  ]
}
