import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { addressOf, BareClient, greeted, keywords, send, transact } from '../client.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ removeMail: true, maxConnections: 2 })
})
afterAll(() => sandbox.close())

const dial = async (host: string) => BareClient.to(await addressOf(sandbox, host), sandbox.port)
const count = async (exchanger: string) => (await sandbox.received({ exchanger })).length
const contents = async (exchanger: string) =>
  (await sandbox.received({ exchanger })).map(({ content }) => Buffer.from(content).toString())

test('drops-after-dot.test keeps the message and closes without a reply; its second exchanger waits', async () => {
  using client = await greeted(sandbox, 'mx1.drops-after-dot.test')
  const replies = await transact(client, { to: 'user@drops-after-dot.test' })
  expect(replies.slice(2)).toEqual([expect.stringMatching(/^354 /), ''])
  expect(await count('mx1.drops-after-dot.test')).toBe(1)
  expect(sandbox.statistics.exchangers.get('mx2.drops-after-dot.test')?.connections).toBe(0)
})

test('nonsense-after-dot.test answers the final dot with no reply code', async () => {
  using client = await greeted(sandbox, 'mx1.nonsense-after-dot.test')
  const replies = await transact(client, { to: 'user@nonsense-after-dot.test' })
  expect(replies.at(-1)).toBe('What was that?')
  expect(await count('mx1.nonsense-after-dot.test')).toBe(1)
})

test('refuses-early.test refuses a large message before its end, and takes a small one', async () => {
  using client = await greeted(sandbox, 'mx.refuses-early.test')
  expect((await transact(client, { to: 'user@refuses-early.test' })).at(-1)).toMatch(/^250 /)
  await client.command('MAIL FROM:<alice@sender.test>')
  await client.command('RCPT TO:<user@refuses-early.test>')
  await client.command('DATA')
  client.write('x'.repeat(16_385))
  expect(await client.reply()).toBe('554 5.7.1 Enough of this')
  await client.closed()
  expect(await count('mx.refuses-early.test')).toBe(1)
})

test('silent.test has said nothing when another exchanger has greeted', async () => {
  using silent = await dial('mx.silent.test')
  using other = await dial('mx.accepts.test')
  expect(await other.reply()).toMatch(/^220 /)
  expect(await silent.characters(0)).toBe('')
})

test('drips.test sends octet after octet of a greeting', async () => {
  using client = await dial('mx.drips.test')
  expect(await client.characters('220-One moment\r\n22'.length)).toMatch(/^220-One moment\r\n2{2,}$/)
})

test('busy.test greets with 421 while its connections are taken, and takes the next when one is gone', async () => {
  using first = await dial('mx.busy.test')
  using second = await dial('mx.busy.test')
  expect([await first.reply(), await second.reply()]).toEqual([
    expect.stringMatching(/^220 /),
    expect.stringMatching(/^220 /),
  ])
  using third = await dial('mx.busy.test')
  expect(await third.reply()).toMatch(/^421 /)
  await third.closed()
  await first.command('QUIT')
  await first.closed()
  using fourth = await dial('mx.busy.test')
  expect(await fourth.reply()).toMatch(/^220 /)
  expect(sandbox.statistics.exchangers.get('mx.busy.test')).toMatchObject({
    connections: 4,
    peak: 3,
    quits: 1,
  })
})

test('one-per-session.test says 421 to the second MAIL and closes', async () => {
  using client = await greeted(sandbox, 'mx.one-per-session.test')
  expect((await transact(client, { to: 'user@one-per-session.test' })).at(-1)).toMatch(/^250 /)
  expect(await client.command('MAIL FROM:<alice@sender.test>')).toMatch(/^421 4\.7\.0 /)
  await client.closed()
})

test('hangs-up.test accepts and closes', async () => {
  using client = await greeted(sandbox, 'mx.hangs-up.test')
  expect((await transact(client, { to: 'user@hangs-up.test' })).at(-1)).toBe('250 2.0.0 Ok, and good bye')
  await client.closed()
  expect(await count('mx.hangs-up.test')).toBe(1)
})

test('no-pipelining.test does not offer PIPELINING', async () => {
  expect(await keywords(sandbox, 'mx.no-pipelining.test')).not.toContain('PIPELINING')
  expect(await send(sandbox, 'mx.no-pipelining.test', { to: 'user@no-pipelining.test' })).toMatch(/^250 /)
})

test('chunking.test takes a message in chunks, in one flight with its envelope (RFC 3030 §4.2)', async () => {
  expect(await keywords(sandbox, 'mx.chunking.test')).toContain('CHUNKING')
  using client = await greeted(sandbox, 'mx.chunking.test')
  client.write(
    'MAIL FROM:<alice@sender.test>\r\nRCPT TO:<user@chunking.test>\r\n' +
      'BDAT 13\r\nSubject: hi\r\nBDAT 7\r\n\r\n.\r\n..BDAT 0 LAST\r\n',
  )
  const replies: string[] = []
  while (replies.length < 5) replies.push(await client.reply())
  expect(replies).toEqual([
    '250 2.1.0 Ok',
    '250 2.1.5 Ok',
    '250 2.0.0 13 octets received',
    '250 2.0.0 7 octets received',
    expect.stringMatching(/^250 2\.0\.0 Ok: queued as /),
  ])
  expect(await contents('mx.chunking.test')).toEqual(['Subject: hi\r\n\r\n.\r\n..'])
})

test('chunking.test takes DATA too, and BDAT without a recipient is a bad sequence (RFC 3030 §2)', async () => {
  using client = await greeted(sandbox, 'mx.chunking.test')
  expect(await client.command('BDAT 6 LAST\r\nNOOP')).toBe('503 5.5.1 Need RCPT command')
  expect((await transact(client, { to: 'user@chunking.test' })).at(-1)).toMatch(/^250 /)
})

test('false-chunking.test offers CHUNKING, answers BDAT with 502 and takes DATA', async () => {
  expect(await keywords(sandbox, 'mx.false-chunking.test')).toContain('CHUNKING')
  using client = await greeted(sandbox, 'mx.false-chunking.test')
  await client.command('MAIL FROM:<alice@sender.test>')
  await client.command('RCPT TO:<user@false-chunking.test>')
  expect(await client.command('BDAT 6 LAST\r\nNOOP')).toBe('502 5.5.1 BDAT not implemented')
  expect(await client.command('DATA')).toMatch(/^354 /)
  expect(await client.command('Subject: hi\r\n\r\n.')).toMatch(/^250 /)
})

test('bare-250.test replies without text (RFC 5321 §4.2)', async () => {
  using client = await greeted(sandbox, 'mx.bare-250.test')
  const replies = await transact(client, { to: 'user@bare-250.test' })
  expect(replies).toEqual(['250', '250', expect.stringMatching(/^354 /), '250'])
  expect(await count('mx.bare-250.test')).toBe(1)
})

test('helo-only.test answers EHLO with 502 and HELO with 250 (RFC 5321 §3.2)', async () => {
  using client = await dial('mx.helo-only.test')
  await client.reply()
  expect(await client.command('EHLO sender.test')).toBe('502 5.5.1 Not implemented')
  expect(await client.command('HELO sender.test')).toBe('250 mx.helo-only.test')
  expect((await transact(client, { to: 'user@helo-only.test' })).at(-1)).toMatch(/^250 /)
})

test('refuses-mail.test refuses the reverse-path, and so the recipient', async () => {
  using client = await greeted(sandbox, 'mx.refuses-mail.test')
  const replies = await transact(client, { to: 'user@refuses-mail.test' })
  expect(replies.slice(0, 3)).toEqual([
    '550 5.7.1 Not from you',
    '503 5.5.1 Need MAIL command',
    '503 5.5.1 Need RCPT command',
  ])
})

test('tries-later.test defers at both exchangers', async () => {
  for (const host of ['mx1.tries-later.test', 'mx2.tries-later.test']) {
    expect(await send(sandbox, host, { to: 'user@tries-later.test' })).toBe('451 4.3.0 Try again later')
  }
})
