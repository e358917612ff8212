import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RemoteProtocolError } from '../../src/smtp/errors.ts'
import {
  formatReply,
  MAX_REPLY_LINE_OCTETS,
  MAX_REPLY_LINES,
  MAX_REPLY_OCTETS,
  type Reply,
  ReplyParser,
} from '../../src/smtp/reply.ts'
import { anyCuts, everyCut, octetByOctet } from './cuts.ts'

function parse(pieces: Iterable<Uint8Array>): Reply[] {
  const parser = new ReplyParser()
  const replies: Reply[] = []
  for (const piece of pieces) parser.push(piece, replies)
  expect(parser.isMidReply).toBe(false)
  return replies
}

const parseText = (text: string): Reply[] => parse([Buffer.from(text)])
/** What came out, or the class of what was thrown. */
const attempt = (pieces: Iterable<Uint8Array>): Reply[] | string => {
  try {
    return parse(pieces)
  } catch (error) {
    return (error as Error).name
  }
}

describe('one reply', () => {
  test('has a code, an enhanced status and its text (RFC 5321 §4.2, RFC 2034 §4)', () => {
    expect(parseText('250 2.1.5 Ok\r\n')).toEqual([{ code: 250, status: '2.1.5', lines: ['Ok'] }])
  })

  test('of several lines ends with the line that has a space behind its code (RFC 5321 §4.2.1)', () => {
    expect(parseText('250-mx.example.test\r\n250-SIZE 1000\r\n250 HELP\r\n')).toEqual([
      { code: 250, status: null, lines: ['mx.example.test', 'SIZE 1000', 'HELP'] },
    ])
  })

  test('may be a bare code, with or without the space (RFC 5321 §4.2: "code+CRLF")', () => {
    const bare = { code: 250, status: null, lines: [''] }
    expect(parseText('250\r\n250 \r\n')).toEqual([bare, bare])
  })

  test('of several lines may end with a bare code, and hold bare ones', () => {
    expect(parseText('250-\r\n250-a\r\n250\r\n')).toEqual([{ code: 250, status: null, lines: ['', 'a', ''] }])
  })

  test('may end its lines with a bare LF', () => {
    expect(parseText('250-a\n250 b\n')).toEqual([{ code: 250, status: null, lines: ['a', 'b'] }])
  })

  test.each([251, 252, 299, 354, 399, 421, 499, 554, 599])(
    'may have the code %i, known or not (RFC 5321 §4.2.1)',
    (code) => {
      expect(parseText(`${code} words\r\n`)).toEqual([{ code, status: null, lines: ['words'] }])
    },
  )

  test.each([
    'garbage',
    '',
    '2',
    '25',
    '25x ok',
    '199 below',
    '600 above',
    '099 low',
    '2500 ok',
    '250\tok',
    '250_ok',
    ' 250 ok',
    '-50 ok',
    '２５０ ok',
    '+25 ok',
    '250 ok\r\nrest',
  ])('is not read out of the line %j', (line) => {
    const octets = Buffer.from(`${line}\r\n`)
    expect(attempt([octets])).toBe('RemoteProtocolError')
    expect(attempt(octetByOctet(octets))).toBe('RemoteProtocolError')
  })

  test('whose lines have unequal codes is an error (RFC 5321 §4.2.1)', () => {
    expect(attempt([Buffer.from('250-a\r\n550 b\r\n')])).toBe('RemoteProtocolError')
    expect(attempt([Buffer.from('250-a\r\n250-b\r\n251 c\r\n')])).toBe('RemoteProtocolError')
  })

  test('is told apart from the next one in the same octets', () => {
    expect(parseText('250 a\r\n550-b\r\n550 c\r\n354 d\r\n').map(({ code, lines }) => [code, lines])).toEqual(
      [
        [250, ['a']],
        [550, ['b', 'c']],
        [354, ['d']],
      ],
    )
  })

  test('that came before a line which is none is still given out', () => {
    const replies: Reply[] = []
    const parser = new ReplyParser()
    expect(() => parser.push(Buffer.from('250 ok\r\nnonsense\r\n'), replies)).toThrow(RemoteProtocolError)
    expect(replies.map(({ code }) => code)).toEqual([250])
  })

  test('names the line that was no reply, without the rest of a long one', () => {
    expect(() => new ReplyParser().push(Buffer.from('HTTP/1.1 400\r\n'), [])).toThrow(
      'expected a reply line (three digits and text), found "HTTP/1.1 400"',
    )
    expect(() => new ReplyParser().push(Buffer.from(`x${'y'.repeat(500)}\n`), [])).toThrow(/"xy{59}"$/)
  })
})

describe('text', () => {
  test('is UTF-8 (RFC 6531 §3.7.4), and malformed octets become U+FFFD', () => {
    expect(parseText('250 größe\r\n')[0]?.lines).toEqual(['größe'])
    expect(parse([Buffer.from([...Buffer.from('250 a'), 0xff, 0xc3, 13, 10])])[0]?.lines).toEqual([
      'a\ufffd\ufffd',
    ])
  })

  test('of several octets a character survives every cut', () => {
    const octets = Buffer.from('550-5.1.1 grüße 👋\r\n550 5.1.1 ok\r\n')
    for (const pieces of everyCut(octets)) expect(parse(pieces)).toEqual(parse([octets]))
  })

  test('keeps control characters and a CR inside the line: who shows it escapes it', () => {
    expect(parseText('250 a\rb\u001b[0m\0\r\n')[0]?.lines).toEqual(['a\rb\u001b[0m\0'])
  })
})

describe('the enhanced status of a reply', () => {
  test('stands in every line and is taken out of each (RFC 2034 §4)', () => {
    expect(parseText('550-5.1.1 no such\r\n550 5.1.1 mailbox\r\n')).toEqual([
      { code: 550, status: '5.1.1', lines: ['no such', 'mailbox'] },
    ])
  })

  test('is not cut out of a longer one in a later line', () => {
    expect(parseText('550-5.1.1 no\r\n550 5.1.10 null MX\r\n')[0]).toEqual({
      code: 550,
      status: '5.1.1',
      lines: ['no', '5.1.10 null MX'],
    })
  })

  test('of another class than the code is text (RFC 2034 §4)', () => {
    expect(parseText('250 5.1.1 odd\r\n')).toEqual([{ code: 250, status: null, lines: ['5.1.1 odd'] }])
    expect(parseText('451 5.7.1 odd\r\n')[0]?.status).toBeNull()
  })

  test('is not expected in a 354, which has no class of its own', () => {
    expect(parseText('354 3.0.0 go\r\n')).toEqual([{ code: 354, status: null, lines: ['3.0.0 go'] }])
  })
})

describe('fragments', () => {
  const dialogue = Buffer.from(
    '220-mx ESMTP\r\n220 ready\r\n250-mx\r\n250-SIZE 10\n250 X\r\n250\r\n550-5.7.1 ä\r\n550 5.7.1 b\r\n354 go\n',
  )

  test('of one octet each give the same replies as the whole', () => {
    expect(parse(octetByOctet(dialogue))).toEqual(parse([dialogue]))
  })

  test('cut at every offset give the same replies as the whole', () => {
    const whole = parse([dialogue])
    expect(whole.map(({ code }) => code)).toEqual([220, 250, 250, 550, 354])
    for (const pieces of everyCut(dialogue)) expect(parse(pieces)).toEqual(whole)
  })

  test('may be in memory that is overwritten afterwards, as that of a socket is', () => {
    const parser = new ReplyParser()
    const replies: Reply[] = []
    const memory = Buffer.alloc(8)
    for (let at = 0; at < dialogue.length; at += memory.length) {
      const length = dialogue.copy(memory, 0, at, at + memory.length)
      parser.push(memory.subarray(0, length), replies)
      memory.fill('#')
    }
    expect(replies).toEqual(parse([dialogue]))
  })

  test('of any octets whatever give what the whole gives, or the same error', () => {
    const piece = fc.oneof(
      fc.constantFrom('250', '-', ' ', '\r', '\n', '\r\n', '550', '5.1.1 ', '421', 'x', 'é'),
      fc.string({ maxLength: 5 }),
    )
    const octets = fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join('')))
    const outcome = (pieces: Iterable<Uint8Array>) => {
      const parser = new ReplyParser()
      const replies: Reply[] = []
      try {
        for (const each of pieces) parser.push(each, replies)
        return { replies, isMidReply: parser.isMidReply }
      } catch (error) {
        return { replies, error: (error as Error).message }
      }
    }
    fc.assert(
      fc.property(
        octets.chain((whole) => fc.tuple(fc.constant(whole), anyCuts(whole))),
        ([whole, cut]) => {
          expect(outcome(cut)).toEqual(outcome([whole]))
          expect(outcome(octetByOctet(whole))).toEqual(outcome([whole]))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('of any replies give the replies', () => {
    const line = fc.string({ unit: fc.constantFrom('a', '-', ' ', '5', '.', 'ü', '\t', '\0'), maxLength: 12 })
    const reply = fc.record({
      code: fc.integer({ min: 200, max: 599 }),
      lines: fc.array(
        line.map((text) => `x${text}`),
        { minLength: 1, maxLength: 4 },
      ),
    })
    const wire = (replies: readonly { code: number; lines: string[] }[]): Buffer =>
      Buffer.from(
        replies
          .flatMap(({ code, lines }) =>
            lines.map((text, index) => `${code}${index < lines.length - 1 ? '-' : ' '}${text}\r\n`),
          )
          .join(''),
      )
    fc.assert(
      fc.property(
        fc
          .array(reply, { maxLength: 4 })
          .chain((replies) => fc.tuple(fc.constant(replies), anyCuts(wire(replies)))),
        ([replies, pieces]) => {
          expect(parse(pieces)).toEqual(replies.map(({ code, lines }) => ({ code, status: null, lines })))
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('bounds, however the octets are cut', () => {
  const longLine = (octets: number, end = '\r\n'): Buffer =>
    Buffer.from(`250 ${'x'.repeat(octets - 4)}${end}`)
  const cuts = (octets: Uint8Array): Uint8Array[][] => [
    [octets],
    octetByOctet(octets),
    [octets.subarray(0, 1), octets.subarray(1)],
    [octets.subarray(0, -2), octets.subarray(-2)],
    [octets.subarray(0, -1), octets.subarray(-1)],
  ]

  test.each(['\r\n', '\n'])('a line of 4 KiB is read, one octet more is refused (ended by %j)', (end) => {
    for (const pieces of cuts(longLine(MAX_REPLY_LINE_OCTETS, end))) {
      expect(parse(pieces)[0]?.lines[0]?.length).toBe(MAX_REPLY_LINE_OCTETS - 4)
    }
    for (const pieces of cuts(longLine(MAX_REPLY_LINE_OCTETS + 1, end))) {
      expect(attempt(pieces)).toBe('RemoteProtocolError')
    }
  })

  test('a line that never ends is refused before it does', () => {
    const parser = new ReplyParser()
    parser.push(Buffer.alloc(MAX_REPLY_LINE_OCTETS, 'x'), [])
    expect(() => parser.push(Buffer.from('xx'), [])).toThrow('at most 4096 octets')
  })

  const lines = (count: number, octetsEach = 5): Buffer =>
    Buffer.from(
      `${`250-${'x'.repeat(octetsEach - 4)}\r\n`.repeat(count - 1)}250 ${'x'.repeat(octetsEach - 4)}\r\n`,
    )

  test('a reply of 1,000 lines is read, one line more is refused', () => {
    expect(parse([lines(MAX_REPLY_LINES)])[0]?.lines.length).toBe(MAX_REPLY_LINES)
    expect(parse(octetByOctet(lines(MAX_REPLY_LINES)))[0]?.lines.length).toBe(MAX_REPLY_LINES)
    expect(attempt([lines(MAX_REPLY_LINES + 1)])).toBe('RemoteProtocolError')
    expect(attempt(octetByOctet(lines(MAX_REPLY_LINES + 1)))).toBe('RemoteProtocolError')
  })

  test('a reply of 1 MiB is read, one octet more is refused', () => {
    const many = lines(MAX_REPLY_OCTETS / 4096, 4096)
    expect(parse([many])[0]?.lines.length).toBe(256)
    const oneMore = Buffer.concat([
      Buffer.from(`250-${'x'.repeat(3996)}\r\n250-${'x'.repeat(93)}\r\n`),
      lines(255, 4096),
    ])
    expect(oneMore.length - 2 * 257).toBe(MAX_REPLY_OCTETS + 1)
    expect(attempt([oneMore])).toBe('RemoteProtocolError')
    expect(attempt([oneMore.subarray(0, 700_001), oneMore.subarray(700_001)])).toBe('RemoteProtocolError')
  })

  test('the bounds are those of one reply: the next one starts anew', () => {
    const full = lines(MAX_REPLY_LINES)
    expect(parse([full, full]).map((reply) => reply.lines.length)).toEqual([MAX_REPLY_LINES, MAX_REPLY_LINES])
    const many = lines(MAX_REPLY_OCTETS / 4096, 4096)
    expect(parse([many, many]).length).toBe(2)
  })
})

describe('the parser', () => {
  test('knows when it is in the middle of a reply', () => {
    const parser = new ReplyParser()
    expect(parser.isMidReply).toBe(false)
    parser.push(Buffer.from('2'), [])
    expect(parser.isMidReply).toBe(true)
    parser.push(Buffer.from('50-a\r\n'), [])
    expect(parser.isMidReply).toBe(true)
    parser.push(Buffer.from('250 b\r\n'), [])
    expect(parser.isMidReply).toBe(false)
  })

  test.each(['550-half a', '550-half\r\n', '550-a\r\n550'])(
    'forgets %j when it is reset (RFC 3207 §4.2)',
    (half) => {
      const parser = new ReplyParser()
      const replies: Reply[] = []
      parser.push(Buffer.from(half), replies)
      parser.reset()
      expect(parser.isMidReply).toBe(false)
      parser.push(Buffer.from('250 ok\r\n'), replies)
      expect(replies).toEqual([{ code: 250, status: null, lines: ['ok'] }])
    },
  )

  test('forgets the size of what came before a reset', () => {
    const parser = new ReplyParser()
    const half = Buffer.from(`250-${'x'.repeat(4092)}\r\n`.repeat(255))
    parser.push(half, [])
    parser.reset()
    expect(() => parser.push(half, [])).not.toThrow()
  })
})

test('a reply is shown on one line, with its status and all of its text', () => {
  const [reply] = parseText('550-5.1.1 No such\r\n550 5.1.1 user\r\n')
  expect(reply && formatReply(reply)).toBe('550 5.1.1 No such user')
  const [bare, plain] = parseText('250\r\n220 mx ready\r\n')
  expect([bare, plain].map((each) => each && formatReply(each))).toEqual(['250', '220 mx ready'])
})
