import { expect, test } from 'vitest'
import { tableLines } from '../../src/cli/table.ts'
import { plain } from '../../src/cli/terminal.ts'

test('columns are as wide as their widest cell and no line ends in a space', () => {
  const lines = tableLines(
    ['name', 'outcome', 'note'],
    [
      ['a', 'delivered', ''],
      ['accepts.test', { text: 'failed', style: 'red' }, 'no'],
    ],
    plain,
  )
  expect(lines).toEqual([
    'name          outcome    note',
    'a             delivered',
    'accepts.test  failed     no',
  ])
})

test('colour does not count as width', () => {
  const lines = tableLines(['x', 'y'], [[{ text: 'ab', style: 'red' }, 'c']], (_style, text) => `<<${text}>>`)
  expect(lines).toEqual(['<<x>>   <<y>>', '<<ab>>  c'])
})
