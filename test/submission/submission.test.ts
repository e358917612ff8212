import { expect, test } from 'vitest'
import { certificates, hostname, plain, start, usersText } from './client.ts'

const message = 'From: a@sender.test\r\nSubject: hi\r\n\r\nhello\r\n'

test('a message is accepted for each recipient and the reply names the queue id', async () => {
  await using server = await start()
  const client = await server.dial()
  expect(await client.reply()).toBe(`220 ${hostname} ESMTP mxpress`)
  expect((await client.command('EHLO client.test')).split('\n')).toEqual([
    `250-${hostname}`,
    '250-PIPELINING',
    '250-8BITMIME',
    '250-SMTPUTF8',
    '250-ENHANCEDSTATUSCODES',
    '250-DSN',
    '250 SIZE 50000000',
  ])
  expect(await client.command('MAIL FROM:<alice@sender.test>')).toBe('250 2.1.0 Accepted')
  expect(await client.command('RCPT TO:<bob@example.test>')).toBe('250 2.1.5 Accepted')
  expect(await client.command('RCPT TO:<carol@example.test>')).toBe('250 2.1.5 Accepted')
  expect(await client.command('DATA')).toMatch(/^354 /)
  client.write(`${message}.\r\n`)
  expect(await client.reply()).toBe('250 2.0.0 Ok: queued as Q1')
  expect(await client.command('QUIT')).toBe('221 2.0.0 Bye')
  expect(server.accepted.map(({ mail }) => mail.envelope)).toEqual([
    {
      reversePath: { localPart: 'alice', domain: 'sender.test' },
      recipients: [
        { address: { localPart: 'bob', domain: 'example.test' }, field: 'to' },
        { address: { localPart: 'carol', domain: 'example.test' }, field: 'to' },
      ],
    },
  ])
})

test('STARTTLS and AUTH let a stranger in', async () => {
  const { mkdtemp, writeFile, rm } = await import('node:fs/promises')
  const dir = await mkdtemp('/tmp/mxpress-users-')
  await writeFile(`${dir}/users`, await usersText(['alice', 'secret']), { mode: 0o600 })
  {
    await using server = await start({
      tls: certificates.kinds.trusted,
      usersFile: `${dir}/users`,
      isLoopback: () => false,
    })
    const client = await server.greeted()
    expect(await client.startTls()).toBe('220 2.0.0 Ready to start TLS')
    expect(await client.command('EHLO client.test')).toContain('AUTH PLAIN LOGIN')
    expect(await client.command(`AUTH PLAIN ${plain('alice', 'secret')}`)).toBe(
      '235 2.7.0 Authentication successful',
    )
    expect(await client.send(`${message}.\r\n`)).toBe('250 2.0.0 Ok: queued as Q1')
  }
  await rm(dir, { recursive: true })
})
