/** What can be wrong with the configuration. */

/** The configuration is wrong; the message names file, line or variable, key, what was expected and what was found. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'ERR_CONFIG'
}
