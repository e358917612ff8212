/** What is sent: the measures by which contenders are compared. */

/** One measurement's work. */
export interface Workload {
  /** Size of the message. */
  readonly octets: number
  /** Sessions open at once. */
  readonly sessions: number
  /** Messages altogether, one recipient each. */
  readonly messages: number
}

const KIB = 1024
/** Below these counts a run tells of the compiler's warming up: nodemailer doubles its rate between 5,000 and 60,000. */
const fullCounts = new Map([
  [2 * KIB, 60_000],
  [64 * KIB, 25_000],
])
/** Enough to see that all parts work. */
const quickCounts = new Map([
  [2 * KIB, 4_000],
  [64 * KIB, 1_000],
])
const sessionCounts = [1, 10, 50]

/** The matrix, small messages first. */
export function workloads({ quick }: { readonly quick: boolean }): readonly Workload[] {
  const counts = [...(quick ? quickCounts : fullCounts)]
  return counts.flatMap(([octets, messages]) =>
    sessionCounts.map((sessions) => ({ octets, sessions, messages })),
  )
}

/** One message to very many recipients: the memory measurement. */
export function manyRecipients({ quick }: { readonly quick: boolean }): Workload {
  return { octets: 2 * KIB, sessions: 10, messages: quick ? 10_000 : 100_000 }
}

/** `2 KB x 10`, as `--only` and the report name it. */
export function workloadName({ octets, sessions }: Pick<Workload, 'octets' | 'sessions'>): string {
  return `${octets / KIB} KB x ${sessions}`
}
