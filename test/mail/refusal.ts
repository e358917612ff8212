/** What a parser says about text it refuses. */
import { AddressError } from '../../src/mail/address.ts'

/** The message of the `AddressError` that `parse` throws; any other end is a failure of the test. */
export function refusalOf(parse: () => unknown): string {
  try {
    const result = parse()
    throw new Error(`Expected an AddressError, got ${JSON.stringify(result)}`)
  } catch (error) {
    if (error instanceof AddressError) return error.message
    throw error
  }
}
