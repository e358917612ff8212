/** The schema seen from outside: the path and the kind of value of every option, for variables and for messages. */
import { z } from 'zod'
import { optionsSchema, programPassword } from './schema.ts'

/** How an option's value is made from text. */
export type OptionKind = 'number' | 'boolean' | 'list' | 'table' | 'text'

/** One option: `['delivery', 'perSite']`. */
export interface OptionEntry {
  readonly path: readonly string[]
  readonly kind: OptionKind
}

/** Every option that text can say, in the order of the schema. */
export const optionList: readonly OptionEntry[] = entriesOf(optionsSchema, [])

function entriesOf(schema: unknown, path: readonly string[]): OptionEntry[] {
  const inner = withoutWrapping(schema)
  if (inner === programPassword) return []
  if (!(inner instanceof z.ZodObject)) return [{ path, kind: kindOf(inner) }]
  return Object.entries(inner.shape).flatMap(([key, value]) => entriesOf(value, [...path, key]))
}

/** What stands under default, optional and transform. */
function withoutWrapping(schema: unknown): unknown {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return withoutWrapping(schema.unwrap())
  }
  return schema instanceof z.ZodPipe ? withoutWrapping(schema.in) : schema
}

function kindOf(schema: unknown): OptionKind {
  if (schema instanceof z.ZodNumber) return 'number'
  if (schema instanceof z.ZodBoolean) return 'boolean'
  if (schema instanceof z.ZodArray) return 'list'
  return schema instanceof z.ZodRecord ? 'table' : 'text'
}
