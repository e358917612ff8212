import { expect, test } from 'vitest'
import { SessionInput } from '../../src/sandbox/session-input.ts'

const wire = Buffer.from('DATA\r\n..a\r\nb.\r\n\r\n...\r\n.\r\nQUIT\r\n')

const readAll = (chunks: readonly Buffer[]): readonly (string | undefined)[] => {
  const input = new SessionInput()
  const taken: string[] = []
  const take = [() => input.takeLine(), () => input.takeContent()?.toString('latin1'), () => input.takeLine()]
  for (const chunk of chunks) {
    input.push(chunk)
    for (let next = take[taken.length]?.(); next !== undefined; next = take[taken.length]?.())
      taken.push(next)
  }
  return [...taken, String(input.length)]
}

const expected = ['DATA', '.a\r\nb.\r\n\r\n..\r\n', 'QUIT', '0']

test('lines and content come out whole, dot-stuffing undone (RFC 5321 §4.5.2)', () => {
  expect(readAll([wire])).toEqual(expected)
})

test('they come out the same byte by byte and cut at every offset', () => {
  expect(readAll([...wire].map((octet) => Buffer.of(octet)))).toEqual(expected)
  for (let at = 1; at < wire.length; at += 1) {
    expect(readAll([wire.subarray(0, at), wire.subarray(at)])).toEqual(expected)
  }
})

test('an empty message is a dot right after DATA (RFC 5321 §4.1.1.4)', () => {
  const input = new SessionInput()
  input.push(Buffer.from('DATA\r\n'))
  input.takeLine()
  input.push(Buffer.from('.\r\n'))
  expect(input.takeContent()).toEqual(Buffer.alloc(0))
})

test('a dot between bare line ends does not end the content (RFC 5321 §4.1.1.4)', () => {
  const input = new SessionInput()
  input.push(Buffer.from('DATA\r\n'))
  input.takeLine()
  input.push(Buffer.from('a\n.\nb\r\n.\n\r.\r\n'))
  expect(input.takeContent()).toBeUndefined()
  input.push(Buffer.from('.\r\n'))
  expect(input.takeContent()?.toString()).toBe('a\n.\nb\r\n\n\r.\r\n')
})

test('octets are taken by their number whatever they are (RFC 3030 §2)', () => {
  const input = new SessionInput()
  input.push(Buffer.from('BDAT 5\r\n\r\n.\r'))
  expect(input.takeLine()).toBe('BDAT 5')
  expect(input.takeOctets(5)).toBeUndefined()
  input.push(Buffer.from('\nNOOP\r\n'))
  expect(input.takeOctets(5)?.toString()).toBe('\r\n.\r\n')
  expect(input.takeLine()).toBe('NOOP')
})
