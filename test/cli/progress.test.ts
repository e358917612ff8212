import { expect, test } from 'vitest'
import { Progress } from '../../src/cli/progress.ts'

function fakeStream(isTTY: boolean): { stream: NodeJS.WriteStream; written: string[] } {
  const written: string[] = []
  return { stream: { isTTY, write: (text: string) => written.push(text) } as never, written }
}

test('on a terminal a line counts many recipients and is wiped before anything is printed', () => {
  const { stream, written } = fakeStream(true)
  const progress = new Progress(10, { stream })
  progress.step(() => written.push('first\n'))
  progress.wipe()
  expect(written).toEqual(['\r\u001b[K', 'first\n', '1 of 10 recipients', '\r\u001b[K'])
})

test.each([
  { isTTY: false, total: 1000 },
  { isTTY: true, total: 9 },
])('elsewhere, or for few recipients, nothing is added: %o', ({ isTTY, total }) => {
  const { stream, written } = fakeStream(isTTY)
  const progress = new Progress(total, { stream })
  progress.step(() => written.push('first\n'))
  progress.wipe()
  expect(written).toEqual(['first\n'])
})

test('where nobody knows how many there will be, the line says how many there were', () => {
  const { stream, written } = fakeStream(true)
  const progress = new Progress(null, { stream, noun: 'targets' })
  progress.step(() => {})
  expect(written.at(-1)).toBe('1 targets')
})
