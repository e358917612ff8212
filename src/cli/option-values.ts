/**
 * Values of options. One rule: a value that is wrong is refused while the command line is read, and the message says
 * what was expected; commander puts the option's name and the offending text before it.
 */
import { InvalidArgumentError } from 'commander'
import { readTimeLimit, timeLimitForms } from '../config/duration.ts'
import { parseRouteTarget } from '../route/static-routes.ts'

/** A parser of whole numbers within bounds, both included. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`Expected a whole number ${range}.`)
  }
}

/** A time limit with its unit, in milliseconds, which the configuration takes for what it is too. */
export function timeLimit(text: string): number {
  const limitMs = readTimeLimit(text)
  if (limitMs !== null) return limitMs
  throw new InvalidArgumentError(`Expected ${timeLimitForms}.`)
}

/** Collects the values of a repeatable option in their order. */
export function repeatable<T>(
  parse: (text: string) => T,
): (text: string, previous?: readonly T[]) => readonly T[] {
  return (text, previous = []) => [...previous, parse(text)]
}

/** Takes a value as it is, and no second one: of two lists none shall be left out without a word. */
export function onlyOnce(text: string, previous?: string): string {
  if (previous === undefined) return text
  throw new InvalidArgumentError('Expected the option once.')
}

/** Leaves a value as it is. */
export const asWritten = (text: string): string => text

/** A header field: name and value. */
export type HeaderField = readonly [name: string, value: string]

// RFC 5322 §3.6.8: printable ASCII but the colon.
const FIELD = /^([!-9;-~]+):[ \t]*(.*)$/s

/** `Name: value`. */
export function headerField(text: string): HeaderField {
  const [, name, value] = FIELD.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError("Expected 'Name: value'.")
  if (/[\r\n\0]/.test(value)) throw new InvalidArgumentError('Expected a value without line breaks and NUL.')
  return [name, value]
}

/** A domain and where its mail goes. */
export type RouteEntry = readonly [domain: string, target: string]

/** `DOMAIN=HOST[:PORT]`. */
export function routeEntry(text: string): RouteEntry {
  const [, domain, target] = /^([^=\s]+)=(\S+)$/.exec(text) ?? []
  if (domain === undefined || target === undefined)
    throw new InvalidArgumentError('Expected DOMAIN=HOST[:PORT].')
  return [domain, target]
}

/** A relay's host and, where one was written, its port. */
export interface RelayAddress {
  readonly host: string
  readonly port?: number
}

/** `HOST[:PORT]`. */
export function relayAddress(text: string): RelayAddress {
  try {
    const { host, port } = parseRouteTarget(text)
    return { host: host.replace(/^\[(.*)\]$/, '$1'), ...(port === null ? {} : { port }) }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new InvalidArgumentError('Expected HOST[:PORT], such as smtp.example.net:587.')
  }
}

/** The keys that have a value; an option that was not given is not one that was given as `undefined`. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
