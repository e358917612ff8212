import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { sendReportSchema } from './report-schema.ts'
import { run } from './run.ts'

const demoSchema = z.strictObject({
  report: sendReportSchema,
  comparisons: z.array(z.object({ isExpected: z.literal(true) })),
  dialogue: z.array(z.object({ direction: z.enum(['client', 'server']), text: z.string() })).min(10),
  logFile: z.string(),
  mailDir: z.string(),
})

test('it shows a dialogue, a table of outcomes as promised, and where log and mail lie', async () => {
  const { code, stdout, stderr } = await run(['demo'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/ C: RCPT TO:<user@good-certificate\.test>/)
  expect(stdout).toMatch(/ S: 250 /)
  const rows = stdout.split('\n').filter((line) => /^user@/.test(line))
  expect(rows.length).toBeGreaterThanOrEqual(12)
  expect(rows.every((line) => line.endsWith('  yes'))).toBe(true)
  for (const field of ['to', 'cc', 'bcc'])
    expect(rows.some((line) => line.includes(`  ${field} `))).toBe(true)
  const log = /\nLog: +(.+)\n/.exec(stdout)?.[1] ?? ''
  expect(await readFile(log, 'utf8')).toMatch(/to=<user@null-mx\.test> .*outcome=failed/)
  const mail = /\nMail: +(.+)\n/.exec(stdout)?.[1] ?? ''
  expect(await readdir(mail)).toContain('accepts.test')
})

test('--json prints one document', async () => {
  const { code, stdout, stderr } = await run(['demo', '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const demo = demoSchema.parse(JSON.parse(stdout))
  expect(demo.comparisons).toHaveLength(demo.report.recipients.length)
})
