/** What is told of an opening while it goes on, and how far it goes. */
import { createSecureContext } from 'node:tls'
import { expect, test } from 'vitest'
import { openSession } from '../../src/client/opening.ts'
import type { SessionOptions } from '../../src/client/session-options.ts'
import { TlsClient, type TlsState } from '../../src/client/tls.ts'
import { makeCertificates } from '../../src/sandbox/certificates.ts'
import { defaultTimeouts } from '../support/default-timeouts.ts'
import { scripted } from '../support/scripted.ts'
import { type Answers, ordinary } from '../support/scripted-steps.ts'
import { connect, HOST, open, targetOf } from './open.ts'

const { ca, kinds } = makeCertificates([HOST])
const secureContext = createSecureContext(kinds.trusted)

/** Opens, and returns what was told: stage, code of the reply, message of the error. */
async function told(answers: Answers, options: Partial<SessionOptions> = {}) {
  const server = await scripted(ordinary(answers))
  const stages: (readonly [stage: string, code: number | null, error: string | null])[] = []
  const handshakes: TlsState[] = []
  const session = await openSession(await connect(server), targetOf(server), {
    hostname: 'client.example.test',
    timeouts: defaultTimeouts,
    tlsPolicy: { mode: 'opportunistic', minVersion: 'TLSv1.2', decidedBy: 'test' },
    tlsClient: new TlsClient({ ca: [ca], inspects: true }),
    onStage: ({ stage, reply, error }) => stages.push([stage, reply?.code ?? null, error?.message ?? null]),
    onHandshake: (state) => handshakes.push(state),
    ...options,
  }).catch(() => null)
  await session?.quit()
  return { stages, handshakes, commands: server.conversation.commands.map((line) => line.split(' ')[0]) }
}

test('every stage is told with its reply, EHLO again under TLS', async () => {
  const { stages, commands } = await told({ offers: ['STARTTLS'], secureContext })
  expect(stages).toEqual([
    ['greeting', 220, null],
    ['ehlo', 250, null],
    ['starttls', 220, null],
    ['ehlo', 250, null],
  ])
  expect(commands).toEqual(['EHLO', 'STARTTLS', 'EHLO', 'QUIT'])
})

test('STARTTLS is no stage of a session that stays in clear', async () => {
  expect((await told({})).stages).toEqual([
    ['greeting', 220, null],
    ['ehlo', 250, null],
  ])
})

test('the reply told is the refusal, not the answer to the QUIT behind it', async () => {
  const { stages } = await told({ greeting: '554 5.7.1 not you', QUIT: '221 2.0.0 bye' })
  expect(stages).toEqual([['greeting', 554, '554 5.7.1 not you']])
})

test('HELO after a refused EHLO is the reply of the same stage', async () => {
  const { stages } = await told({ EHLO: '502 5.5.1 what?', HELO: '250 hello' })
  expect(stages.at(-1)).toEqual(['ehlo', 250, null])
})

test('an opening may end with the greeting or with EHLO; QUIT is all that follows', async () => {
  expect(await told({ offers: ['STARTTLS'] }, { until: 'greeting' })).toMatchObject({
    stages: [['greeting', 220, null]],
    commands: ['QUIT'],
  })
  expect(await told({ offers: ['STARTTLS'] }, { until: 'ehlo' })).toMatchObject({
    commands: ['EHLO', 'QUIT'],
  })
})

test('a certificate is told, also one that the policy does not accept', async () => {
  const tlsPolicy = { mode: 'verified', minVersion: 'TLSv1.2', decidedBy: 'test' } as const
  const wrong = createSecureContext(kinds['wrong-name'])
  const { stages, handshakes } = await told({ offers: ['STARTTLS'], secureContext: wrong }, { tlsPolicy })
  expect(stages.at(-1)).toEqual([
    'starttls',
    220,
    'certificate not accepted: the certificate names another host',
  ])
  expect(handshakes).toMatchObject([
    {
      verified: false,
      resumed: false,
      certificate: {
        subject: 'CN=mxpress sandbox',
        names: ['mx.elsewhere.test'],
        issuer: 'CN=mxpress sandbox authority',
        validFrom: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      },
    },
  ])
})

test.each([
  [true, [false, false]],
  [false, [false, true]],
])(
  'a client that inspects certificates (%s) sees one in each handshake, so it resumes none',
  async (inspects, resumed) => {
    const server = await scripted(ordinary({ offers: ['STARTTLS'], secureContext }))
    const tlsClient = new TlsClient({ ca: [ca], inspects })
    const states: TlsState[] = []
    for (const _ of resumed) {
      const session = await open(server, { tlsClient })
      if (session.tls !== null) states.push(session.tls)
      await session.quit()
    }
    expect(states.map((state) => state.resumed)).toEqual(resumed)
    const names = states.map(({ certificate }) => certificate?.names)
    expect(names).toEqual(inspects ? [[HOST], [HOST]] : [undefined, undefined])
  },
)

test('a server whose TLS is too old is told as that', async () => {
  const old = createSecureContext({
    ...kinds.trusted,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  const { stages } = await told({ offers: ['STARTTLS'], secureContext: old })
  expect(stages.at(-1)?.[2]).toMatch(/the server speaks no version of TLS that is still in use \(ERR_SSL_/)
})
