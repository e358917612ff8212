/** Holds documents against config/probe.schema.json: an unknown key fails as a missing one does. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ProbeReport } from '../../src/probe/report.ts'

const schema = JSON.parse(
  readFileSync(new URL('../../config/probe.schema.json', import.meta.url), 'utf8'),
) as object
const validate = new Ajv2020({ allErrors: true }).compile(schema)

/** What `probe --json` prints. */
export interface ProbeDocument {
  readonly targets: readonly ProbeReport[]
  readonly counts: Readonly<Record<string, number>>
  readonly seemsBlocked: boolean
}

/** What is wrong with a document; `[]`: nothing. */
export function problemsOf(document: unknown): readonly string[] {
  if (validate(document)) return []
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  )
}

/** The document, if it is one. @throws {Error} naming what is wrong */
export function probeDocument(text: string): ProbeDocument {
  const document: unknown = JSON.parse(text)
  const problems = problemsOf(document)
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return document as ProbeDocument
}
