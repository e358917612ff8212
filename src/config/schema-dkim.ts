/**
 * The tables of `dkim`: what is a value, and what is the default. `options.ts` says what they mean.
 */
import { z } from 'zod'
import { isSelector, readDomain } from './dkim-names.ts'
import type { DkimKeyOptions, DkimOptions } from './options.ts'
import { path, text, wait } from './schema-values.ts'

const selector = text('a name such as "mx1", of letters, digits, hyphens and dots', isSelector)

const dkimKey = z.strictObject(
  { selector, keyFile: path } satisfies Record<keyof DkimKeyOptions, z.ZodType>,
  { error: 'a table with `selector` and `keyFile`' },
)

/** Written anew on the way, by every relay or by the last: whoever signs them breaks the signature (RFC 6376 §5.4.1). */
const unsignable = /^(?:received|return-path|dkim-signature|bcc|resent-bcc)$/i

// RFC 5322 §3.6.8 allows more than letters, digits and these, but no field has it, verifiers stumble (Rspamd rejects h=
// with `@`, `<`, `"`), and it is a slip of the pen: "Subject,".
const fieldName = /^[a-z0-9][a-z0-9_.-]{0,75}$/i

const signedField = text(
  'the name of a header field, of letters, digits and hyphens, that stays as it is on the way, so not Received, Return-Path, Bcc or DKIM-Signature',
  (value) => fieldName.test(value) && !unsignable.test(value),
)

const dkimShape = {
  selector: selector.optional(),
  keyFile: path.optional(),
  keys: z.array(dkimKey, { error: 'a list of tables with `selector` and `keyFile`' }).default([]),
  headers: z.array(signedField, { error: 'a list of header field names' }).optional(),
  expire: wait(1_000).optional(),
  resign: z.boolean({ error: 'true or false' }).default(false),
} satisfies Record<keyof DkimOptions, z.ZodType>

/** The keys of one domain's table. */
export const dkimKeys: readonly string[] = Object.keys(dkimShape)

const dkimDomain = z
  .strictObject(dkimShape, {
    error: 'a domain with a table, [dkim."example.org"], of `selector` and `keyFile`',
  })
  .refine(
    ({ selector, keyFile, keys }) =>
      (selector === undefined) === (keyFile === undefined) && (selector !== undefined || keys.length > 0),
    'a table with both `selector` and `keyFile`, or a list `keys` of such',
  )
  .refine(({ selector, keys }) => {
    const names = [selector, ...keys.map((key) => key.selector)].flatMap((name) => name?.toLowerCase() ?? [])
    return new Set(names).size === names.length
  }, 'a table in which each selector stands once')

/** Domains in A-labels, each with its keys. */
export const dkim = z
  .record(z.string(), dkimDomain, { error: 'a table of domains' })
  .superRefine((domains, context) => {
    const seen = new Set<string>()
    for (const name of Object.keys(domains)) {
      const domain = readDomain(name)
      const complain = (message: string) => context.addIssue({ code: 'custom', path: [name], message })
      if (domain === null) complain('named by a domain such as "example.org"')
      else if (seen.has(domain)) complain('the only entry of its domain')
      else seen.add(domain)
    }
  })
  .transform((domains) =>
    Object.fromEntries(Object.entries(domains).map(([name, options]) => [readDomain(name) ?? name, options])),
  )
  .prefault({})
