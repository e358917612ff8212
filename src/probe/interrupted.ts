/** The probe was stopped before there was an answer. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
  readonly code = 'ERR_INTERRUPTED'

  constructor(reason: unknown) {
    super(reason instanceof Error ? reason.message : 'the probe was stopped', { cause: reason })
  }
}
