/**
 * A table of plain columns, two spaces apart. Our own lines because every cell is escaped text that is nearly always
 * ASCII: a library's borders, wrapping and width tables would be the larger part of the program.
 */
import type { Paint, Style } from './terminal.ts'

/** A cell: its text, or its text with a colour. */
export type Cell = string | { readonly text: string; readonly style: Style }

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text)
// Code points; double-width characters (rare: UTF-8 local parts) shift their row.
const widthOf = (cell: Cell): number => [...textOf(cell)].length

/** The lines of a table, its heading first; no line ends in a space. */
export function tableLines(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  paint: Paint,
): string[] {
  const widths = heading.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ''))),
  )
  const line = (cells: readonly Cell[]): string =>
    cells
      .map((cell, column) => {
        const isLast = column === cells.length - 1
        const gap = isLast ? '' : ' '.repeat((widths[column] ?? 0) - widthOf(cell) + 2)
        return (typeof cell === 'string' ? cell : paint(cell.style, cell.text)) + gap
      })
      .join('')
      .trimEnd()
  return [line(heading.map((text) => ({ text, style: 'bold' }))), ...rows.map(line)]
}
