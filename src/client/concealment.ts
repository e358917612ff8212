/**
 * What of the peer's words must not be seen. Servers repeat what they do not understand, `500 unrecognized: AUTH PLAIN
 * AGpvZQ…`, whole or cut; so everything that shows the password is taken out of a reply before anybody reads it.
 */

/** Stands in a dialogue for what is not shown. */
export const HIDDEN = '[hidden]'

/** A run of base64 that is long enough to tell something, and not to be a word of the reply by chance. */
const BASE64_RUN = /[A-Za-z0-9+/]{6,}={0,2}/g

/** What has been said in confidence in one session. */
export class Concealment {
  /** As they are: the password. */
  readonly #plain: string[] = []
  /** In base64, whole. */
  readonly #encoded: string[] = []

  get isEmpty(): boolean {
    return this.#plain.length === 0
  }

  /** From now on this is taken out of what the peer says. */
  add({ plain, encoded }: { readonly plain?: string; readonly encoded?: string }): void {
    if (plain !== undefined && plain !== '') this.#plain.push(plain)
    if (encoded !== undefined && encoded !== '') this.#encoded.push(encoded.toLowerCase())
  }

  /** The text without it. */
  hide(text: string): string {
    const withoutRuns = text.replace(BASE64_RUN, (run) => (this.#isPart(run) ? HIDDEN : run))
    return this.#plain.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), withoutRuns)
  }

  // Servers that repeat a command may do so in capitals, or its beginning only.
  #isPart(run: string): boolean {
    const part = run.toLowerCase()
    return this.#encoded.some((encoded) => encoded.includes(part))
  }
}
