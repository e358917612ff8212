import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DotStuffer, dotStuff } from '../../src/smtp/dot-stuffing.ts'
import { anyCuts, everyCut, octetByOctet } from './cuts.ts'

function stuffPieces(pieces: Iterable<Uint8Array>): string {
  const stuffer = new DotStuffer()
  const out: Uint8Array[] = []
  for (const piece of pieces) out.push(Uint8Array.from(stuffer.push(piece)))
  out.push(stuffer.end())
  return Buffer.concat(out).toString('latin1')
}

const stuff = (content: string): string =>
  Buffer.from(dotStuff(Buffer.from(content, 'latin1'))).toString('latin1')

/** What a server makes of it (RFC 5321 §4.5.2), and what it leaves for the next command. */
function receive(wire: string): { content: string; rest: string } {
  const lines: string[] = []
  let at = 0
  for (;;) {
    const end = wire.indexOf('\r\n', at)
    if (end === -1) throw new Error('the content never ends')
    const line = wire.slice(at, end)
    at = end + 2
    if (line === '.') return { content: lines.join(''), rest: wire.slice(at) }
    lines.push(`${line.startsWith('.') ? line.slice(1) : line}\r\n`)
  }
}

describe('transparency (RFC 5321 §4.5.2)', () => {
  test.each([
    ['a\r\n.b\r\n', 'a\r\n..b\r\n.\r\n'],
    ['.a\r\n', '..a\r\n.\r\n'],
    ['.', '..\r\n.\r\n'],
    ['.\r\n', '..\r\n.\r\n'],
    ['..\r\n', '...\r\n.\r\n'],
    ['a\r\n.\r\nb\r\n', 'a\r\n..\r\nb\r\n.\r\n'],
    ['\r\n.\r\n', '\r\n..\r\n.\r\n'],
    ['\r\n.\r\n.\r\n', '\r\n..\r\n..\r\n.\r\n'],
    ['a.b\r\nc. \r\n', 'a.b\r\nc. \r\n.\r\n'],
    ['a\n.b\r\n', 'a\n.b\r\n.\r\n'],
    ['a\r.b\r\n', 'a\r.b\r\n.\r\n'],
  ])('%j goes out as %j', (content, wire) => {
    expect(stuff(content)).toBe(wire)
  })
})

describe('the end (RFC 5321 §4.1.1.4)', () => {
  test('after a CRLF adds no empty line', () => {
    expect(stuff('a\r\n')).toBe('a\r\n.\r\n')
  })

  test.each(['a', 'a\r', 'a\n', 'a\r\n\r', 'a\n\r', '\n'])(
    'after %j stands on a line of its own',
    (content) => {
      expect(stuff(content)).toBe(`${content}\r\n.\r\n`)
      expect(stuffPieces(octetByOctet(Buffer.from(content)))).toBe(`${content}\r\n.\r\n`)
    },
  )

  test('of an empty content is the dot alone', () => {
    expect(stuff('')).toBe('.\r\n')
    expect(stuffPieces([])).toBe('.\r\n')
    expect(stuffPieces([new Uint8Array(0)])).toBe('.\r\n')
  })
})

describe('pieces', () => {
  const content = '.first\r\n\r\n.\r\n..two\r\nx.\r.\n.\r\n\r\n...\r\nend.'

  test('cut at every offset go out as the whole does', () => {
    const octets = Buffer.from(content)
    for (const pieces of everyCut(octets)) expect(stuffPieces(pieces)).toBe(stuff(content))
  })

  test('of one octet, with empty ones between, go out as the whole does', () => {
    const octets = octetByOctet(Buffer.from(content))
    expect(stuffPieces(octets.flatMap((octet) => [octet, new Uint8Array(0)]))).toBe(stuff(content))
  })

  test('may lie anywhere in a larger memory', () => {
    const memory = Buffer.from(`\r\n.${content}\r\n.`)
    expect(stuffPieces([memory.subarray(3, -3)])).toBe(stuff(content))
  })

  test('without a dot first in a line are not copied', () => {
    const piece = Buffer.from('a.b\r\nc\r\n')
    expect(new DotStuffer().push(piece)).toBe(piece)
  })
})

test('a server gets back any content, however cut, and nothing behind it (RFC 5321 §4.5.2)', () => {
  const contents = fc
    .array(fc.constantFrom('.', '..', '\r\n', '\r\n.', '\r', '\n', 'a', ' ', '\0', 'ÿ'), { maxLength: 40 })
    .map((parts) => Buffer.from(parts.join(''), 'latin1'))
  fc.assert(
    fc.property(
      contents.chain((content) => fc.tuple(fc.constant(content), anyCuts(content))),
      ([content, pieces]) => {
        const original = content.toString('latin1')
        const whole = original === '' || original.endsWith('\r\n') ? original : `${original}\r\n`
        expect(receive(stuffPieces(pieces))).toEqual({ content: whole, rest: '' })
        expect(stuffPieces(pieces)).toBe(stuff(original))
      },
    ),
    { numRuns: 500 },
  )
})
