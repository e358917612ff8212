/** What `--dry-run` shows to people: each recipient, and below it the exchangers in the order they would be asked. */
import type { PlannedExchanger, PlannedRoute } from '../../agent.ts'
import { escapeText } from '../../log/escape.ts'
import { outcomeStyles, roadNames } from '../report-text.ts'
import type { Paint } from '../terminal.ts'

/** The lines for all recipients. */
export function planLines(routes: readonly PlannedRoute[], paint: Paint): string[] {
  return routes.flatMap((route) => [headLine(route, paint), ...route.exchangers.map(exchangerLine)])
}

function headLine({ address, field, failure }: PlannedRoute, paint: Paint): string {
  const head = `${escapeText(address)} (${field})`
  if (failure === null) return head
  const { outcome, status, diagnostic } = failure
  return `${head} ${paint(outcomeStyles[outcome], `${outcome}: ${status}`)} ${escapeText(diagnostic)}`
}

// `  10 mx1.example.test 192.0.2.7, 2001:db8::7 port 25`
function exchangerLine({ preference, host, port, ips, implicit, error, via }: PlannedExchanger): string {
  const where = error === null ? `${ips.join(', ')} port ${port}` : escapeText(error)
  const note =
    via === undefined ? (implicit ? ' (no MX record: the domain itself)' : '') : ` (${roadNames[via]})`
  return `  ${preference} ${escapeText(host)} ${where}${note}`
}
