// Parts of mailauth below its public interface, without types of their own. The version is pinned in package.json, and
// test/interop/dkim.test.ts holds what they make against other programs.

declare module 'mailauth/lib/dkim/body/index.js' {
  interface BodyHash {
    update(chunk: Uint8Array): void
    digest(encoding: 'base64'): string
  }
  export function dkimBody(canonicalization: 'relaxed', algorithm: 'sha256'): BodyHash
}

declare module 'mailauth/lib/dkim/header/index.js' {
  interface Tags {
    readonly [tag: string]: string | number | null
  }
  export function generateCanonicalizedHeader(
    type: 'DKIM',
    /** `keys` becomes h=; the lines are hashed in their order. */
    signingHeaderLines: { readonly keys: string; readonly headers: readonly { readonly line: Buffer }[] },
    options: {
      readonly signingDomain: string
      readonly selector: string
      readonly algorithm: string
      readonly canonicalization: 'relaxed/relaxed'
      readonly bodyHash: string
      readonly timestamp: number
      /** `false`: none. */
      readonly expiration: number | false
    },
  ): { readonly canonicalizedHeader: Buffer; readonly dkimHeaderOpts: Tags }
}

declare module 'mailauth/lib/tools.js' {
  export function formatSignatureHeaderLine(
    type: 'DKIM',
    values: { readonly [tag: string]: string | number | null },
    folded: true,
  ): string
}
