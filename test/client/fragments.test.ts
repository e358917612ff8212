/** One rule: how the network cuts what a peer says changes nothing of what it said. */
import tls from 'node:tls'
import { expect, test } from 'vitest'
import type { TransactionEnd } from '../../src/client/transaction.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { scripted } from '../support/scripted.ts'
import type { Conversation, Fragmentation } from '../support/scripted-conversation.ts'
import type { ScriptedServer } from '../support/scripted-server.ts'
import { type Answers, ordinary } from '../support/scripted-steps.ts'
import { HOST, open } from './open.ts'
import { smallContent, streamedMessage, transact } from './transactions.ts'

/** Dialogues at a time; each waits for the loop most of its life. */
const AT_ONCE = 32

/** Short words: every octet is a place to cut. */
const words: Answers = {
  greeting: ['220-m', '220 m'],
  HELO: '250',
  MAIL: ['250-2.1.0 a', '250 2.1.0 b'],
  RCPT: '250',
  RSET: '250 r',
  BDAT: '250 2.0.0 é',
  content: ['250-2.0.0 é', '250 2.0.0 f'],
  QUIT: '221',
}
const bdat = { EHLO: ['250-m', '250-PIPELINING', '250 CHUNKING'] }
const data = { EHLO: ['250-m', '250 PIPELINING'] }
const steps = { EHLO: '502 no' }
const refused = ['550-5.1.1 n', '550 5.1.1 o']
const hangUp = (words: string) => async (client: Conversation) => {
  await client.reply(words)
  client.close()
}

const garbage = (client: Conversation) => client.send('yes\r\n')
const halfAVerdict = async (client: Conversation) => {
  await client.send('250-2.0.0 a\r\n25')
  client.close()
}

/** What the peer answers, and how the first transaction ends when nothing is cut. */
const dialogues: readonly [string, Answers, string][] = [
  ['BDAT, taken', bdat, 'end-of-data 250'],
  ['DATA, taken', data, 'end-of-data 250'],
  ['HELO and DATA, taken', steps, 'end-of-data 250'],
  ['BDAT, the recipient refused', { ...bdat, RCPT: refused, BDAT: '503 n' }, 'rcpt 550'],
  [
    'DATA, the recipient refused and the content asked for',
    { ...data, RCPT: refused, content: '554 n' },
    'rcpt 550',
  ],
  ['DATA, the recipient refused and DATA too', { ...data, RCPT: refused, DATA: '503 n' }, 'rcpt 550'],
  ['HELO and DATA, the recipient refused', { ...steps, RCPT: refused }, 'rcpt 550'],
  ['BDAT, the reverse-path refused', { ...bdat, MAIL: refused, RCPT: '503 n', BDAT: '503 n' }, 'mail 550'],
  ['BDAT, the content refused', { ...bdat, BDAT: ['554-5.7.1 n', '554 5.7.1 o'] }, 'end-of-data 554'],
  ['DATA, the content refused', { ...data, content: '452 4.3.1 n' }, 'end-of-data 452'],
  ['BDAT, not known', { ...bdat, BDAT: '500 5.5.1 n' }, 'end-of-data 500'],
  ['DATA, turned down', { ...data, DATA: '451 n' }, 'data 451'],
  ['BDAT, 421 behind the verdict', { ...bdat, BDAT: ['250 a', '421 b'] }, 'end-of-data 250'],
  ['BDAT, 421 and gone', { ...bdat, MAIL: hangUp('421 4.3.2 n') }, 'mail 421'],
  ['DATA, refused and gone', { ...data, RCPT: hangUp('550 n') }, 'rcpt 550'],
  ['BDAT, half a verdict and gone', { ...bdat, BDAT: halfAVerdict }, 'end-of-data ConnectionLostError'],
  ['DATA, a verdict that is none', { ...data, content: '354 n' }, 'end-of-data RemoteProtocolError'],
  ['BDAT, garbage for a verdict', { ...bdat, BDAT: garbage }, 'end-of-data RemoteProtocolError'],
]

interface Told {
  readonly first: { readonly stage: string; readonly code: number | string }
  readonly second: unknown
  readonly contents: readonly string[]
}

function tell(end: TransactionEnd) {
  return { ...end, error: end.error?.message, code: end.reply?.code ?? end.error?.name ?? '' }
}

/** Two transactions and QUIT. The second only where the first leaves the session usable. */
async function converse(server: ScriptedServer, mode: 'off' | 'required'): Promise<Told> {
  const session = await open(server, { tls: mode })
  const first = await transact(session)
  // The next transaction of a session begins in a later turn (see turn.ts): what came behind the verdict is known then.
  if (first.reply === null || first.isChunkingRefused || first.reply.code === 421) {
    session.drop()
    return { first: tell(first), second: null, contents: [] }
  }
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
  const message = streamedMessage([smallContent.subarray(0, 9), smallContent.subarray(9)])
  const second = session.isUsable ? tell(await transact(session, { message })) : null
  await session.quit()
  return { first: tell(first), second, contents: [] }
}

async function serverWith(answers: Answers): Promise<ScriptedServer> {
  return scripted(ordinary({ ...words, ...answers }))
}

async function conversed(
  server: ScriptedServer,
  how: Fragmentation,
  mode: 'off' | 'required',
): Promise<Told> {
  server.fragmentation = how
  const told = await converse(server, mode)
  await server.settled()
  return { ...told, contents: server.conversation.contents.map(String) }
}

test.each(dialogues)(
  '%s: the same end octet by octet and cut at every offset',
  async (_name, answers, end) => {
    const server = await serverWith(answers)
    const whole = await conversed(server, 'whole', 'off')
    expect(`${whole.first.stage} ${whole.first.code}`).toBe(end)
    const { octetsSaid } = server.conversation
    expect(octetsSaid).toBeGreaterThan(40)
    expect(await conversed(server, 'octets', 'off')).toEqual(whole)
    const before = server.conversations.length
    server.fragmentation = (index) => ({ cutAt: index - before + 1 })
    for (let from = 1; from < octetsSaid; from += AT_ONCE) {
      const batch = Math.min(AT_ONCE, octetsSaid - from)
      const told = await Promise.all(Array.from({ length: batch }, () => converse(server, 'off')))
      for (const each of told) expect({ ...each, contents: whole.contents }).toEqual(whole)
    }
    await server.settled()
    for (const { contents } of server.conversations) expect(contents.map(String)).toEqual(whole.contents)
  },
)

test('under TLS the same holds', async () => {
  const secureContext = tls.createSecureContext(makeCertificates([HOST]).kinds.trusted)
  const server = await serverWith({ EHLO: ['250-m', '250-STARTTLS', ...bdat.EHLO.slice(1)], secureContext })
  const whole = await conversed(server, 'whole', 'required')
  expect(whole).toMatchObject({ first: { reply: { code: 250 } }, second: { reply: { code: 250 } } })
  expect(await conversed(server, 'octets', 'required')).toEqual(whole)
  for (let cutAt = 1; cutAt < server.conversation.octetsSaid; cutAt += 3) {
    expect(await conversed(server, { cutAt }, 'required')).toEqual(whole)
  }
})
