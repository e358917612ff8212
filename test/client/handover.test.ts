import { describe, expect, test } from 'vitest'
import { handOver } from '../../src/client/handover.ts'
import { parseAddress } from '../../src/mail/address.ts'
import type { Envelope } from '../../src/mail/envelope.ts'
import { opened } from './open.ts'
import { ALICE, BOB, contentOf, smallMessage, smallStuffed, streamedMessage } from './transactions.ts'

const CAROL = parseAddress('carol@example.test')

const envelope: Envelope = {
  reversePath: ALICE,
  recipients: [
    { address: BOB, field: 'to' },
    { address: CAROL, field: 'bcc', dsn: { notify: ['FAILURE'] } },
  ],
  dsn: { ret: 'HDRS', envid: 'job 1' },
}
const mail = { message: smallMessage, envelope, smtpUtf8: false }

test('all recipients are in one transaction, with their wishes about reports where those are understood', async () => {
  const { session, heard } = await opened({ offers: ['SIZE', 'DSN'] })
  expect(await handOver(session, mail)).toMatchObject({ stage: 'end-of-data', reply: { code: 250 } })
  expect(heard.flights.slice(1).join('')).toBe(
    [
      `MAIL FROM:<alice@sender.test> SIZE=${smallMessage.size} RET=HDRS ENVID=job+201`,
      'RCPT TO:<bob@example.test>',
      'RCPT TO:<carol@example.test> NOTIFY=FAILURE',
      'DATA',
      `${smallStuffed}.`,
      '',
    ].join('\r\n'),
  )
  await session.quit()
})

describe('all or nothing', () => {
  test.each([
    ['mail', { MAIL: '451 4.3.0 later' }, 451],
    ['data', { DATA: '554 5.5.1 no' }, 554],
    ['end-of-data', { content: '452 4.3.1 no room' }, 452],
  ])('a refusal at %s is the end', async (stage, answers, code) => {
    const { session } = await opened(answers)
    expect(await handOver(session, mail)).toMatchObject({ stage, reply: { code } })
    await session.quit()
  })

  test('the second recipient refused: the content is never sent', async () => {
    let count = 0
    const RCPT = (client: { reply(line: string): Promise<void> }): Promise<void> =>
      client.reply(++count === 1 ? '250 2.1.5 ok' : '550 5.1.1 no such user')
    const { session, heard } = await opened({ RCPT })
    expect(await handOver(session, mail)).toMatchObject({ stage: 'rcpt', reply: { code: 550 } })
    await session.quit()
    expect(heard.flights.join('')).not.toMatch(/DATA|Subject/)
  })
})

test('a server that has heard enough ends the writing, and the session', async () => {
  const { session } = await opened({
    DATA: async (client) => {
      await client.reply('354 go on', '552 5.3.4 too much')
      await client.untilGone()
    },
  })
  const message = streamedMessage(Array.from({ length: 100 }, () => contentOf(65_536)))
  expect(await handOver(session, { ...mail, message })).toMatchObject({
    stage: 'end-of-data',
    reply: { code: 552 },
  })
  expect(session.isUsable).toBe(false)
})

test('a yes in the wrong place is nonsense, not acceptance', async () => {
  const { session } = await opened({ DATA: '250 2.0.0 taken' })
  await expect(handOver(session, mail)).rejects.toMatchObject({ code: 'ERR_SMTP_REMOTE_PROTOCOL' })
  session.drop()
})
