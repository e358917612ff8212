/** What the demo shows to people: one dialogue, the outcomes as a table, and where to look further. */

import { escapeText } from '../../log/escape.ts'
import { DialogueFormatter } from '../dialogue.ts'
import { outcomeStyles, seconds, summaryLine, targetText, tlsText } from '../report-text.ts'
import { type Cell, tableLines } from '../table.ts'
import type { Paint } from '../terminal.ts'
import type { Comparison, Demonstration } from './demonstration.ts'

const heading = ['recipient', 'field', 'outcome', 'status', 'exchanger', 'TLS', 'time', 'expected?']

/** The lines, in the order they are to be read. */
export function demoLines(demonstration: Demonstration, paint: Paint): string[] {
  const { report, comparisons, dialogue, logFile, mailDir } = demonstration
  const formatter = new DialogueFormatter(paint)
  return [
    paint('bold', 'The dialogue with one of the exchangers (C: mxpress, S: the server):'),
    ...dialogue.flatMap((line) => formatter.lines(line)),
    '',
    ...tableLines(heading, comparisons.map(row), paint),
    '',
    summaryLine(report, paint),
    `Log:  ${logFile}`,
    `Mail: ${mailDir}`,
  ]
}

function row({ recipient, expected, isExpected }: Comparison): Cell[] {
  const outcome = recipient.uncertain ? `${recipient.outcome}, uncertain` : recipient.outcome
  return [
    escapeText(recipient.address),
    recipient.field,
    { text: outcome, style: outcomeStyles[recipient.outcome] },
    recipient.status,
    targetText(recipient) || '-',
    tlsText(recipient) || '-',
    seconds(recipient.durationMs),
    isExpected ? 'yes' : { text: `no: ${expected.outcome} ${expected.status ?? ''}`, style: 'red' },
  ]
}
