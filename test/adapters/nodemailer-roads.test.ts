/** What an agent does to every message and on every road, when the message comes from nodemailer: signing, and a relay. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import nodemailer from 'nodemailer'
import { expect, onTestFinished, test } from 'vitest'
import { createTransport } from '../../src/adapters/nodemailer.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { makeKey, verify } from '../support/dkim-keys.ts'
import { saslServer } from '../support/sasl-server.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { ordinary } from '../support/scripted-steps.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const mail = { from: 'Alice <alice@sender.test>', subject: 'Grüße', text: 'Hello\n' }
const ours = makeKey('sender.test', 'ours', 'ed25519')
const theirs = makeKey('sender.test', 'theirs', 'rsa')

test('the agent signs what nodemailer composes, also what nodemailer has signed', async () => {
  await using sandbox = await startSandbox({ removeMail: true })
  const { selector, keyFile } = ours
  await using transport = createTransport({
    ...sandbox.agentOptions,
    dkim: { 'sender.test': { selector, keyFile } },
  })
  const transporter = nodemailer.createTransport(transport)
  const privateKey = await readFile(theirs.keyFile, 'utf8')
  const signed = { domainName: 'sender.test', keySelector: theirs.selector, privateKey }
  await transporter.sendMail({ ...mail, to: 'ours@accepts.test' })
  await transporter.sendMail({ ...mail, to: 'both@accepts.test', dkim: signed })
  const verdicts = async (recipient: string) => {
    const [received] = await sandbox.received({ recipient })
    return verify(received?.content ?? new Uint8Array(), [ours, theirs])
  }
  expect(await verdicts('ours@accepts.test')).toEqual(['pass sender.test ours'])
  expect((await verdicts('both@accepts.test')).toSorted()).toEqual([
    'pass sender.test ours',
    'pass sender.test theirs',
  ])
})

test('a relay takes the message after login; a refused login is EAUTH, and not for good', async () => {
  const sasl = saslServer({ user: 'me', password: 'right' })
  const server = await ScriptedServer.start(ordinary({ offers: ['AUTH CRAM-MD5'], AUTH: sasl.AUTH }))
  onTestFinished(() => server.close())
  const passwordFile = path.join(await temporaryDirectory(), 'secret')
  await writeFile(passwordFile, 'right\n', { mode: 0o600 })
  await using transport = createTransport({
    hostname: 'sender.test',
    relay: { host: '127.0.0.1', port: server.port, tls: 'off', user: 'me', passwordFile },
  })
  const transporter = nodemailer.createTransport(transport)
  const to = 'bob@anywhere.test'
  expect(await transporter.sendMail({ ...mail, to })).toMatchObject({
    accepted: [to],
    response: '250 2.0.0 taken',
  })
  await writeFile(passwordFile, 'wrong\n')
  await using later = createTransport({
    hostname: 'sender.test',
    relay: { host: '127.0.0.1', port: server.port, tls: 'off', user: 'me', passwordFile },
  })
  const error = await nodemailer
    .createTransport(later)
    .sendMail({ ...mail, to })
    .catch((reason: unknown) => reason)
  expect(error).toMatchObject({
    code: 'EAUTH',
    command: 'AUTH',
    responseCode: 535,
    permanent: false,
    pending: [to],
  })
  expect(JSON.stringify(error)).not.toContain('wrong')
})
