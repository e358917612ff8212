/**
 * Kinds of values that options of several tables have. One rule: an `error` completes the sentence "Expected `key` to be …".
 */
import { z } from 'zod'
import { type Duration, durationForms, readDuration, readTimeLimit, timeLimitForms } from './duration.ts'
import { readSize, type Size, sizeForms } from './size.ts'

/** A time limit in milliseconds. */
export const timeLimit = (preset: string) =>
  z
    .custom<Duration>((value) => readTimeLimit(value) !== null, { error: timeLimitForms })
    .transform((value) => readTimeLimit(value) ?? 0)
    .prefault(preset)

/** Longest time that mail may wait, in milliseconds: a year. Nobody means more, and dates stay dates. */
const maxWaitMs = 365 * 86_400_000

/** A time that is waited for by date, not by a timer, in milliseconds. */
export const wait = (minMs: number) => {
  const isWaitingTime = (value: unknown) => {
    const waitMs = readDuration(value)
    return waitMs !== null && waitMs >= minMs && waitMs <= maxWaitMs
  }
  return z
    .custom<Duration>(isWaitingTime, {
      error: `a duration from ${minMs}ms to 365d such as ${durationForms}`,
    })
    .transform((value) => readDuration(value) ?? 0)
}

/** As `wait`, with a default. */
export const waitingTime = (preset: string, minMs: number) => wait(minMs).prefault(preset)

/** Octets. */
export const size = (preset: string) =>
  z
    .custom<Size>((value) => (readSize(value) ?? 0) >= 1, { error: `a size such as ${sizeForms}` })
    .transform((value) => readSize(value) ?? 0)
    .prefault(preset)

/** A whole number, bounds included. */
export const wholeNumber = (min: number, max?: number) => {
  const error = `a whole number from ${min}${max === undefined ? '' : ` to ${max}`}`
  return z
    .int({ error })
    .min(min, { error })
    .max(max ?? Number.MAX_SAFE_INTEGER, { error })
}

/** One of some words. */
export const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values, { error: `one of ${values.map((value) => `"${value}"`).join(', ')}` })

/** Text of a certain form. */
export const text = (error: string, accepts: (value: string) => boolean) =>
  z.custom<string>((value) => typeof value === 'string' && accepts(value), { error })

/** Of a file. */
export const path = text('the path of a file', (value) => value !== '' && !value.includes('\0'))

/** Of a directory. */
export const directory = text('the path of a directory', (value) => value !== '' && !value.includes('\0'))

/** A table whose keys are those of `Options`; each key has a default, so the empty table is one too. */
export const section = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, { error: 'a table of options' }).prefault({} as never)
