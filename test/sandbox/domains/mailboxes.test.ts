import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { addressOf, BareClient, greeted, keywords, send, transact } from '../client.ts'

let now = 0
let sandbox: Sandbox
beforeAll(async () => {
  const clock = { now: () => now, monotonic: () => now }
  sandbox = await startSandbox({ removeMail: true, greylistSeconds: 10, slowSeconds: 0, clock })
})
afterAll(() => sandbox.close())

const contents = async (recipient: string) =>
  (await sandbox.received({ recipient })).map(({ content }) => Buffer.from(content).toString('latin1'))

test('accepts.test keeps a message octet for octet, dots, 8-bit and long lines included', async () => {
  const raw = `Subject: =?utf-8?Q?hi?=\r\n\r\n.\r\n..\r\n.a\r\n${'x'.repeat(998)}\r\n\xe9\xff\x80\r\n\r\n`
  using client = await greeted(sandbox, 'mx.accepts.test')
  await client.command('MAIL FROM:<alice@sender.test> BODY=8BITMIME')
  await client.command('RCPT TO:<octets@accepts.test>')
  await client.command('DATA')
  client.write(Buffer.from(`${raw.replaceAll(/^\./gm, '..')}.\r\n`, 'latin1'))
  expect(await client.reply()).toMatch(/^250 2\.6\.0 Ok: queued as [0-9A-F]{8}$/)
  expect(await contents('octets@accepts.test')).toEqual([raw])
})

test('accepts.test offers what a recipient server offers, without AUTH', async () => {
  expect(await keywords(sandbox, 'mx.accepts.test')).toEqual([
    'PIPELINING',
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    'STARTTLS',
    'SIZE 10240000',
  ])
})

test('accepts.test takes a UTF-8 mailbox with SMTPUTF8 only (RFC 6531 §3.2)', async () => {
  using client = await greeted(sandbox, 'mx.accepts.test')
  expect(await client.command('MAIL FROM:<jörg@sender.test>')).toMatch(/^553 /)
  expect(await client.command('MAIL FROM:<jörg@sender.test> SMTPUTF8')).toMatch(/^250 2\.1\.0/)
  await client.command('RCPT TO:<zoë@accepts.test>')
  await client.command('DATA')
  await client.command('Subject: hi\r\n\r\nhello\r\n.')
  expect(await sandbox.received({ recipient: 'zoë@accepts.test' })).toMatchObject([
    { reversePath: 'jörg@sender.test', exchanger: 'mx.accepts.test' },
  ])
})

test('sender.test takes reports with a null reverse-path (RFC 5321 §4.5.5)', async () => {
  using client = await greeted(sandbox, 'mx.sender.test')
  await client.command('MAIL FROM:<>')
  await client.command('RCPT TO:<alice@sender.test>')
  await client.command('DATA')
  await client.command('Subject: sorry\r\n\r\n.')
  expect(await sandbox.received({ recipient: 'alice@sender.test' })).toMatchObject([{ reversePath: '' }])
})

test('greylists.test defers each recipient until its time is over', async () => {
  using client = await greeted(sandbox, 'mx.greylists.test')
  await client.command('MAIL FROM:<alice@sender.test>')
  const attempt = () => client.command('RCPT TO:<user@greylists.test>')
  const refusal = '450 4.2.0 <user@greylists.test>: greylisted, try again in 10 seconds'
  expect(await attempt()).toBe(refusal)
  now += 9_999
  expect(await attempt()).toBe(refusal)
  now += 1
  expect(await attempt()).toBe('250 2.1.5 Ok')
  expect(await client.command('RCPT TO:<other@greylists.test>')).toMatch(/^450 4\.2\.0/)
})

test('unknown-mailbox.test refuses every recipient for good', async () => {
  expect(await send(sandbox, 'mx.unknown-mailbox.test', { to: 'user@unknown-mailbox.test' })).toBe(
    '550 5.1.1 No such mailbox here',
  )
})

test('mailbox-full.test defers every recipient', async () => {
  expect(await send(sandbox, 'mx.mailbox-full.test', { to: 'user@mailbox-full.test' })).toBe(
    '452 4.2.2 Mailbox full',
  )
})

test('rejects-content.test refuses after the final dot and keeps nothing', async () => {
  expect(await send(sandbox, 'mx.rejects-content.test', { to: 'user@rejects-content.test' })).toBe(
    '554 5.7.1 Message content rejected',
  )
  expect(await contents('user@rejects-content.test')).toEqual([])
})

test('small-size.test announces its limit, and keeps it at MAIL and at the end of data (RFC 1870 §6)', async () => {
  expect(await keywords(sandbox, 'mx.small-size.test')).toContain('SIZE 200')
  using client = await greeted(sandbox, 'mx.small-size.test')
  expect(await client.command('MAIL FROM:<alice@sender.test> SIZE=201')).toMatch(/^552 5\.3\.4 /)
  const to = 'user@small-size.test'
  expect((await transact(client, { to, content: `${'x'.repeat(199)}\r\n` })).at(-1)).toMatch(/^552 5\.3\.4 /)
  expect((await transact(client, { to, content: `${'x'.repeat(198)}\r\n` })).at(-1)).toMatch(/^250 /)
  expect((await contents(to)).map(({ length }) => length)).toEqual([200])
})

test('forwards.test answers RCPT with 251 and takes the message (RFC 5321 §3.4)', async () => {
  using client = await greeted(sandbox, 'mx.forwards.test')
  const [, rcpt, , end] = await transact(client, { to: 'user@forwards.test' })
  expect(rcpt).toBe('251 2.1.5 Not here, will forward <user@forwards.test>')
  expect(end).toMatch(/^250 2\.0\.0 Ok: queued as /)
  expect(await contents('user@forwards.test')).toHaveLength(1)
})

test('slow.test has not greeted when another exchanger has, and closing does not wait for it', async () => {
  await using slow = await startSandbox({ removeMail: true, slowSeconds: 3600 })
  using sleeper = await BareClient.to(await addressOf(slow, 'mx.slow.test'), slow.port)
  using other = await BareClient.to(await addressOf(slow, 'mx.accepts.test'), slow.port)
  expect(await other.reply()).toMatch(/^220 /)
  const greeting = sleeper.reply()
  await slow.close()
  expect(await greeting).toBe('')
})

test('slow.test delivers in the end', async () => {
  expect(await send(sandbox, 'mx.slow.test', { to: 'user@slow.test' })).toMatch(/^250 /)
})

test('no-8bitmime.test refuses BODY and 8-bit content that it did not offer to take (RFC 6152 §3)', async () => {
  expect(await keywords(sandbox, 'mx.no-8bitmime.test')).not.toContain('8BITMIME')
  using client = await greeted(sandbox, 'mx.no-8bitmime.test')
  expect(await client.command('MAIL FROM:<alice@sender.test> BODY=8BITMIME')).toMatch(/^555 5\.5\.4 /)
  const to = 'user@no-8bitmime.test'
  expect((await transact(client, { to, content: 'Subject: hi\r\n\r\nhé\r\n' })).at(-1)).toMatch(/^554 /)
  expect((await transact(client, { to })).at(-1)).toMatch(/^250 /)
})

test('no-smtputf8.test refuses the parameter and a UTF-8 header (RFC 6531 §3.2)', async () => {
  expect(await keywords(sandbox, 'mx.no-smtputf8.test')).not.toContain('SMTPUTF8')
  using client = await greeted(sandbox, 'mx.no-smtputf8.test')
  expect(await client.command('MAIL FROM:<alice@sender.test> SMTPUTF8')).toMatch(/^555 /)
  const to = 'user@no-smtputf8.test'
  expect((await transact(client, { to, content: 'Subject: hé\r\n\r\nhi\r\n' })).at(-1)).toMatch(/^554 /)
  expect((await transact(client, { to, content: 'Subject: hi\r\n\r\nhé\r\n' })).at(-1)).toMatch(/^250 /)
})
