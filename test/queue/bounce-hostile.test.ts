import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ReportedRecipient } from '../../src/queue/bounce-report.ts'
import { anAddress } from '../mail/arbitraries.ts'
import { wireFields, wireProblem } from '../mail/read-back.ts'
import {
  bytesOf,
  hasPython,
  messageOf,
  readParts,
  readStatus,
  readWithPython,
  recipientOf,
  refusal,
  reportOf,
} from './bounce-samples.ts'

const nasty = [
  'a\r\n\r\n--x',
  'a\r\nAction: delivered',
  '\0\x1b[2J',
  '\u2028\u202e\ud800',
  `${'ü'.repeat(3000)}`,
  'x'.repeat(1_000_000),
  ' '.repeat(5000),
  `550 ${'日'.repeat(1200)}`,
  '=?utf-8?Q?=0D=0A?=',
  '',
]
const diagnostic = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc
    .array(fc.constantFrom('\r\n', '\n', '\r', '--', ' ', '\t', 'Status: 2.0.0', '\0', 'ä', 'w'))
    .map((list) => list.join('')),
)

const aRecipient: fc.Arbitrary<ReportedRecipient> = fc
  .record({ address: anAddress, words: diagnostic, isReply: fc.boolean(), uncertain: fc.boolean() })
  .map(({ address, words, isReply, uncertain }) =>
    recipientOf({ address, uncertain, last: { ...refusal, diagnostic: words, isReply } }),
  )

test('whatever peers say, a report has its parts, its fields and lines fit for the wire', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(aRecipient, { minLength: 1, maxLength: 3 }),
      anAddress,
      async (recipients, reversePath) => {
        const bytes = await bytesOf(reportOf({ recipients, reversePath }))
        expect(wireProblem(bytes)).toBeNull()
        const { parts } = await readParts(bytes)
        expect(parts).toHaveLength(2)
        const [, ...groups] = await readStatus(bytes)
        expect(groups).toHaveLength(recipients.length)
        for (const group of groups) {
          expect(group.filter((field) => field.startsWith('Action:'))).toEqual(['Action: failed'])
          expect(group.filter((field) => field.startsWith('Status:'))).toEqual(['Status: 5.1.1'])
          expect(group.every((field) => /^[A-Z][A-Za-z-]+: /.test(field))).toBe(true)
        }
        expect(wireFields(bytes).filter((field) => field.startsWith('To:'))).toHaveLength(1)
      },
    ),
    { numRuns: 60 },
  )
})

test('a reply of a megabyte is cut', async () => {
  const last = { ...refusal, diagnostic: `550 ${'no '.repeat(400_000)}` }
  const bytes = await bytesOf(reportOf({ recipients: [recipientOf({ last })] }))
  expect(bytes.length).toBeLessThan(10_000)
  expect((await readStatus(bytes))[1]).toContainEqual(
    expect.stringMatching(/^Diagnostic-Code: .* \[\.\.\.\]$/),
  )
})

test('a message that holds a report, boundary lines and all, stays one part', async () => {
  const inner = await bytesOf(reportOf())
  const outer = await bytesOf(reportOf({ message: messageOf(inner) }))
  const { parts } = await readParts(outer)
  expect(parts).toHaveLength(2)
  expect(parts[1]?.octets).toBe(inner.toString('latin1'))
})

test.skipIf(!hasPython)('Python finds the same groups and no defect under the worst of them', async () => {
  const recipients = nasty.map((words) => recipientOf({ last: { ...refusal, diagnostic: words } }))
  const { defects, status } = readWithPython(await bytesOf(reportOf({ recipients })))
  expect(defects).toEqual([])
  expect(status).toHaveLength(1 + nasty.length)
  expect(status.slice(1).map(({ Action }) => Action)).toEqual(nasty.map(() => 'failed'))
})
