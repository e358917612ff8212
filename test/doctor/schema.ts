/** The JSON Schema that is shipped, and the document that `doctor --json` prints held against it. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0]

const file = new URL('../../config/doctor.schema.json', import.meta.url)

/** As it stands in the file. */
export const doctorSchemaFile = JSON.parse(readFileSync(file, 'utf8')) as JsonSchema & {
  readonly properties: {
    readonly results: {
      readonly items: { readonly properties: { readonly check: { readonly enum: readonly string[] } } }
    }
  }
}

/** Refuses what is not promised, unknown keys too. */
export const doctorSchema: z.ZodType = z.fromJSONSchema(doctorSchemaFile)
