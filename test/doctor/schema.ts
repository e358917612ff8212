/** Holds documents against config/doctor.schema.json: an unknown key fails as a missing one does. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'

interface SchemaFile {
  readonly $defs: {
    readonly results: {
      readonly items: { readonly properties: { readonly check: { readonly enum: readonly string[] } } }
    }
  }
}

const schema = JSON.parse(
  readFileSync(new URL('../../config/doctor.schema.json', import.meta.url), 'utf8'),
) as SchemaFile
const validate = new Ajv2020({ allErrors: true }).compile(schema)

/** The names that `check` may have. */
export const checkNames = schema.$defs.results.items.properties.check.enum

/** What is wrong with a document that `doctor --json` printed; `[]`: nothing. */
export function problemsOf(text: string): readonly string[] {
  if (validate(JSON.parse(text))) return []
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  )
}
