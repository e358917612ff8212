/**
 * The server's side of AUTH for a scripted server, written from the RFCs and not with the program's own code, so that the
 * two can only agree if both are right.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { Conversation } from './scripted-conversation.ts'

export interface SaslUser {
  readonly user: string
  readonly password: string
}

export interface SaslServer {
  /** For `Answers.AUTH`. */
  readonly AUTH: (client: Conversation, command: string) => Promise<void>
  /** The mechanisms tried, in order. */
  readonly tried: string[]
  /** Logins that were right. */
  readonly accepted: string[]
}

const encode = (text: string | Buffer): string => Buffer.from(text as string).toString('base64')
const decode = (text: string): string => Buffer.from(text, 'base64').toString('utf8')

type Verdict = 'right' | 'wrong'

/** A server that knows one user, and says 504 to the mechanisms it is told to refuse. */
export function saslServer(known: SaslUser, refused: readonly string[] = []): SaslServer {
  const tried: string[] = []
  const accepted: string[] = []
  const mechanisms: Record<string, (client: Conversation, initial: string | null) => Promise<Verdict>> = {
    PLAIN: async (client, initial) => {
      const response = initial ?? (await ask(client, ''))
      return verdict(decode(response) === `\0${known.user}\0${known.password}`)
    },
    LOGIN: async (client) => {
      const user = decode(await ask(client, 'Username:'))
      const password = decode(await ask(client, 'Password:'))
      return verdict(user === known.user && password === known.password)
    },
    XOAUTH2: async (client, initial) => {
      const response = initial ?? (await ask(client, ''))
      if (decode(response) === `user=${known.user}\x01auth=Bearer ${known.password}\x01\x01`) return 'right'
      const answer = await ask(client, '{"status":"401","schemes":"bearer"}')
      if (answer !== '') throw new Error(`expected an empty line, heard ${answer}`)
      return 'wrong'
    },
    'CRAM-MD5': async (client) => {
      const challenge = '<1896.697170952@postoffice.test>'
      const response = decode(await ask(client, challenge))
      const digest = createHmac('md5', known.password).update(challenge).digest('hex')
      return verdict(response === `${known.user} ${digest}`)
    },
    'SCRAM-SHA-256': (client, initial) => scram(client, initial, known),
  }
  return {
    tried,
    accepted,
    AUTH: async (client, command) => {
      const [, mechanism = '', initial = null] = command.split(' ')
      tried.push(mechanism)
      const check = refused.includes(mechanism) ? undefined : mechanisms[mechanism]
      if (check === undefined) return client.reply('504 5.5.4 unrecognized authentication type')
      if ((await check(client, initial)) === 'wrong') return client.reply('535 5.7.8 authentication failed')
      accepted.push(mechanism)
      return client.reply('235 2.7.0 authentication successful')
    },
  }
}

const verdict = (isRight: boolean): Verdict => (isRight ? 'right' : 'wrong')

async function ask(client: Conversation, challenge: string): Promise<string> {
  await client.reply(`334 ${encode(challenge)}`)
  return client.command()
}

/** RFC 5802 §3. */
async function scram(client: Conversation, initial: string | null, known: SaslUser): Promise<Verdict> {
  const first = decode(initial ?? (await ask(client, '')))
  const [, bare = '', name = '', nonce = ''] = /^n,,(n=([^,]*),r=([^,]*))$/.exec(first) ?? []
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  const serverFirst = `r=${nonce}3rfcNHYJY1ZVvWVs7j,s=${salt.toString('base64')},i=4096`
  const final = decode(await ask(client, serverFirst))
  const [, withoutProof = '', proof = ''] = /^(c=biws,r=[^,]*),p=(.*)$/.exec(final) ?? []
  const salted = pbkdf2Sync(known.password, salt, 4096, 32, 'sha256')
  const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const clientKey = hmac(salted, 'Client Key')
  const signed = `${bare},${serverFirst},${withoutProof}`
  const signature = hmac(createHash('sha256').update(clientKey).digest(), signed)
  const claimed = Buffer.from(proof, 'base64').map((octet, at) => octet ^ (signature[at] ?? 0))
  if (name !== known.user || !clientKey.equals(claimed)) return 'wrong'
  const answer = await ask(client, `v=${hmac(hmac(salted, 'Server Key'), signed).toString('base64')}`)
  return verdict(answer === '')
}
