import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import type { SubmittedMail } from '../../src/submission/acceptance.ts'
import { serveSession } from '../../src/submission/local-session.ts'

const session = async (dialogue: string, accept = async (_mail: SubmittedMail) => ({ queueId: 'Q1' })) => {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const said = text(output)
  const served = serveSession({ input, output }, { hostname: 'mail.sender.test', accept })
  input.end(dialogue)
  await served
  output.end()
  return (await said).split('\r\n').map((line) => line.slice(0, 3))
}

const transaction = 'MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nSubject: x\r\n\r\nhello\r\n.\r\n'

test('a session over standard input and output is an SMTP session', async () => {
  const mails: SubmittedMail[] = []
  const accept = async (mail: SubmittedMail) => {
    mails.push(mail)
    await new Promise(setImmediate)
    return { queueId: 'Q1' }
  }
  const codes = await session(`EHLO x\r\n${transaction}${transaction}QUIT\r\n`, accept)
  expect(codes.filter((code, index) => code !== codes[index - 1])).toEqual([
    '220',
    '250',
    '354',
    '250',
    '354',
    '250',
    '221',
    '',
  ])
  expect(mails).toHaveLength(2)
})

test('what was said before the input ended is answered, with QUIT or without', async () => {
  const codes = await session(`HELO x\r\n${transaction}`)
  expect(codes).toEqual(['220', '250', '250', '250', '354', '250', ''])
})

test('a message that the input ends in the middle of is not accepted', async () => {
  const accept = () => Promise.reject(new Error('accepted'))
  const codes = await session(`HELO x\r\n${transaction.slice(0, -3)}`, accept)
  expect(codes).toEqual(['220', '250', '250', '250', '354', ''])
})
