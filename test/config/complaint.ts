/** What `resolveSettings` finds wrong with options; `''` for nothing. */
import { resolveSettings } from '../../src/config/settings.ts'

/** The message of its TypeError; anything else that is thrown goes on. */
export function complaint(options: unknown): string {
  try {
    resolveSettings(options)
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
  return ''
}
