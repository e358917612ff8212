import { expect, test } from 'vitest'
import { makeContent, stuff } from '../content.ts'
import { type ArrivalCounts, Arrivals } from './arrivals.ts'
import { Conversation } from './conversation.ts'

const octets = 700
const content = makeContent(octets).toString('latin1')
const stuffed = stuff(makeContent(octets)).toString('latin1')
const envelope = 'MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n'

/** What the sink says to each of these, and what stands in its books. */
function converse(...heard: readonly string[]): { replies: readonly string[]; counts: ArrivalCounts } {
  const arrivals = new Arrivals(octets)
  const conversation = new Conversation(arrivals, '250 sink.test\r\n')
  const replies = heard.map((text) => codesIn(conversation.receive(Buffer.from(text, 'latin1'))))
  return { replies, counts: arrivals.counts() }
}

const codesIn = (replies: string): string => (replies.match(/^\d{3}/gm) ?? []).join(' ')

test('a flight of MAIL, RCPT and BDAT with its content is one round trip', () => {
  const { replies, counts } = converse(`${envelope}BDAT ${octets} LAST\r\n${content}`)
  expect(replies).toEqual(['250 250 250'])
  expect(counts).toMatchObject({ messages: 1, roundTrips: 1, compared: 1, refused: 0 })
})

test('a flight of MAIL, RCPT and DATA and another with the content are two round trips', () => {
  const { replies, counts } = converse(`${envelope}DATA\r\n`, `${stuffed}.\r\n`)
  expect(replies).toEqual(['250 250 354', '250'])
  expect(counts).toMatchObject({ messages: 1, roundTrips: 2, compared: 1, refused: 0 })
})

test('a command at a time is four round trips, and EHLO and QUIT are none', () => {
  const said = ['EHLO a\r\n', ...envelope.split(/(?<=\n)/), 'DATA\r\n', `${stuffed}.\r\n`, 'QUIT\r\n']
  const { replies, counts } = converse(...said)
  expect(replies).toEqual(['250', '250', '250', '354', '250', '221'])
  expect(counts.roundTrips).toBe(4)
})

test('content that comes in pieces is one round trip, however many reads it takes', () => {
  const { counts } = converse(`${envelope}DATA\r\n`, stuffed.slice(0, 300), stuffed.slice(300), '.\r\n')
  expect(counts).toMatchObject({ messages: 1, roundTrips: 2 })
})

test('octet by octet the same message arrives, in one chunk or two', () => {
  const wire = `${envelope}BDAT 300\r\n${content.slice(0, 300)}BDAT 400 LAST\r\n${content.slice(300)}`
  const { replies, counts } = converse(...wire)
  expect(replies.filter((reply) => reply !== '')).toEqual(['250', '250', '250', '250'])
  expect(counts).toMatchObject({ messages: 1, octets, refused: 0 })
})

test('content that is one octet short, or not dot-stuffed, or altered, is refused', () => {
  const altered = content.replace('brown', 'green')
  for (const wire of [
    `${envelope}BDAT ${octets - 1} LAST\r\n${content.slice(1)}`,
    `${envelope}DATA\r\n${content}.\r\n`,
    `${envelope}BDAT ${octets} LAST\r\n${altered}`,
  ]) {
    const { replies, counts } = converse(wire)
    expect(replies.at(-1)).toMatch(/ 554$/)
    expect(counts).toMatchObject({ messages: 0, refused: 1 })
  }
})
