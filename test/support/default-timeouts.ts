/** The time limits of an agent that was told none. */
import { resolveSettings } from '../../src/config/settings.ts'

export const defaultTimeouts = resolveSettings({ hostname: 'sender.test' }).timeouts
