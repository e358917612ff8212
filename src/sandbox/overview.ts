/** What the sandbox offers, for people: data that a command line prints as it likes. */
import type { ExpectedOutcome, SandboxDomain } from './domains/plan.ts'

/** One line of the overview. */
export interface OverviewRow {
  readonly mailbox: string
  readonly description: string
  /** `delivered`, `failed 5.1.1`, `deferred 4.4.2, uncertain`. */
  readonly expected: string
}

const say = ({ outcome, status, uncertain }: ExpectedOutcome): string => {
  const verdict = status === undefined ? outcome : `${outcome} ${status}`
  return uncertain ? `${verdict}, uncertain` : verdict
}

/** One row per domain, most ordinary first. */
export const overview = (sandbox: { readonly domains: readonly SandboxDomain[] }): readonly OverviewRow[] =>
  sandbox.domains.map(({ mailbox, description, expected, waits }) => ({
    mailbox,
    description: waits ? `${description} (takes as long as the sender waits)` : description,
    expected: say(expected),
  }))

/** Where a sandbox listens. */
interface Whereabouts {
  readonly dns: string
  readonly port: number
}

/** A command, in lines for a shell, that sends one message into the sandbox. */
export const exampleCommand = ({ dns, port }: Whereabouts): readonly string[] => [
  `mxpress send --dns ${dns} --port ${port} --allow-local-addresses --hostname sender.test \\`,
  '  --from alice@sender.test --to user@accepts.test --subject hi --text hello',
]
