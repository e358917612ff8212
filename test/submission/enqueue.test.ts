import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteQueue } from '../../src/queue/sqlite/store.ts'
import { acceptInto } from '../../src/submission/enqueue.ts'
import { start } from './client.ts'

test('what was answered with 250 is in the queue, with its wishes and its times', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'mxpress-enqueue-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  await using store = await openSqliteQueue(dir)
  const clock = { now: () => 1_000, monotonic: () => 0 }
  const accept = acceptInto(store, { expireMs: 500, delayWarningMs: 50, clock })
  await using server = await start({ accept, clock })
  const client = await server.greeted()
  await client.command('MAIL FROM:<a@b.test> ENVID=e1 RET=FULL')
  await client.command('RCPT TO:<c@d.test> NOTIFY=NEVER')
  await client.command('RCPT TO:<e@f.test>')
  await client.command('DATA')
  client.write('From: a@b.test\r\nMessage-ID: <1@b.test>\r\n\r\nhello\r\n.\r\n')
  const [, queueId = ''] = /^250 2\.0\.0 Ok: queued as (\S+)$/.exec(await client.reply()) ?? []

  const { entries } = await store.list({ selector: { kind: 'id', id: queueId }, limit: 10 })
  expect(entries).toMatchObject([
    {
      submissionId: queueId,
      messageId: '<1@b.test>',
      recipient: { address: { localPart: 'c', domain: 'd.test' }, notify: ['NEVER'] },
      envid: 'e1',
      ret: 'FULL',
      createdAt: 1_000,
      dueAt: 1_000,
      expiresAt: 1_500,
    },
    { submissionId: queueId, recipient: { address: { localPart: 'e', domain: 'f.test' }, notify: null } },
  ])
  const message = await store.content(queueId)
  const chunks: Uint8Array[] = []
  for await (const chunk of message.open()) chunks.push(chunk)
  expect(Buffer.concat(chunks).toString()).toMatch(/^Received: from client\.test .*\r\n\r\nhello\r\n$/s)
})
