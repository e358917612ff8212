import { describe, expect, test } from 'vitest'
import { RemoteProtocolError } from '../../../src/smtp/errors.ts'
import { startSasl } from '../../../src/smtp/sasl/start.ts'

const noNonce = (): string => {
  throw new Error('only SCRAM needs a nonce')
}

test('PLAIN is user and password between NULs (RFC 4616 §2)', async () => {
  const plain = startSasl('PLAIN', { user: 'tim', password: 'tänstaaftänstaaf' }, noNonce)
  expect(plain.initialResponse).toBe('\0tim\0tänstaaftänstaaf')
  expect(plain.isComplete).toBe(true)
  await expect(plain.respond('')).rejects.toThrow(RemoteProtocolError)
})

test('LOGIN answers two questions, whatever their words, and no third', async () => {
  const login = startSasl('LOGIN', { user: 'joe', password: 'secret' }, noNonce)
  expect(login.initialResponse).toBeNull()
  expect(await login.respond('User Name\0')).toBe('joe')
  expect(login.isComplete).toBe(false)
  expect(await login.respond('')).toBe('secret')
  expect(login.isComplete).toBe(true)
  await expect(login.respond('Password:')).rejects.toThrow(RemoteProtocolError)
})

test('CRAM-MD5 digests the challenge (RFC 2195 §2)', async () => {
  const cram = startSasl('CRAM-MD5', { user: 'tim', password: 'tanstaaftanstaaf' }, noNonce)
  expect(cram.initialResponse).toBeNull()
  expect(cram.isComplete).toBe(false)
  expect(await cram.respond('<1896.697170952@postoffice.reston.mci.net>')).toBe(
    'tim b913a602c7eda7a495b4e6e7334d3890',
  )
  expect(cram.isComplete).toBe(true)
  await expect(cram.respond('<again@mci.net>')).rejects.toThrow(RemoteProtocolError)
})

test('XOAUTH2 shows the token, and answers the reason of a refusal with nothing', async () => {
  const xoauth2 = startSasl('XOAUTH2', { user: 'someuser@example.com', password: 'ya29.vF9dft4' }, noNonce)
  expect(xoauth2.initialResponse).toBe('user=someuser@example.com\x01auth=Bearer ya29.vF9dft4\x01\x01')
  expect(await xoauth2.respond('{"status":"400"}')).toBe('')
  await expect(xoauth2.respond('{"status":"400"}')).rejects.toThrow(RemoteProtocolError)
})

describe('SCRAM-SHA-256', () => {
  const NONCE = 'rOprNGfwEbeRWgbNEkqO'
  const SERVER_FIRST =
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
  const start = (credentials = { user: 'user', password: 'pencil' }) =>
    startSasl('SCRAM-SHA-256', credentials, () => NONCE)

  test('is the dialogue of RFC 7677 §3', async () => {
    const scram = start()
    expect(scram.initialResponse).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
    expect(await scram.respond(SERVER_FIRST)).toBe(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    )
    expect(scram.isComplete).toBe(false)
    expect(await scram.respond('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toBe('')
    expect(scram.isComplete).toBe(true)
    await expect(scram.respond('v=')).rejects.toThrow(RemoteProtocolError)
  })

  test.each(['v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', 'v=', 'e=invalid-proof', ''])(
    'a server that does not know the password is not believed: %j',
    async (final) => {
      const scram = start()
      await scram.respond(SERVER_FIRST)
      await expect(scram.respond(final)).rejects.toThrow(
        'expected the proof that the server knows the password',
      )
      expect(scram.isComplete).toBe(false)
    },
  )

  test.each([
    'r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    'r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    'r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095',
    'r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000001',
    'r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999',
    'm=ext,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    '',
  ])('a challenge that is none, or asks for too little or too much, is refused: %j', async (challenge) => {
    await expect(start().respond(challenge)).rejects.toThrow(RemoteProtocolError)
  })

  test('names and passwords are prepared (RFC 5802 §5.1, RFC 4013 §2)', () => {
    expect(start({ user: 'a,b=c', password: 'x' }).initialResponse).toBe(`n,,n=a=2Cb=3Dc,r=${NONCE}`)
    expect(start({ user: 'I\u00adX\u2168\u00a0', password: 'x' }).initialResponse).toBe(
      `n,,n=IXIX ,r=${NONCE}`,
    )
  })
})
