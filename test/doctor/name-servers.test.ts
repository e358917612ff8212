import { expect, test } from 'vitest'
import { askServers, serverEvidence, signaturesOf } from '../../src/doctor/name-servers.ts'
import { startNameServer } from '../../src/sandbox/name-server.ts'

const signal = new AbortController().signal

test('each server is asked for the root, and what its signatures say is read', async () => {
  const server = await startNameServer(new Map([['', { signed: true }]]))
  const gone = await startNameServer(new Map())
  await gone.close()
  const [answered, refused] = await askServers([server.address, gone.address], { timeoutMs: 5_000, signal })
  await server.close()
  const answer = answered?.answer ?? expect.unreachable()
  const [life] = signaturesOf(answer)
  expect(life?.inception).toBeLessThan(Date.now())
  expect(life?.expiration).toBeGreaterThan(Date.now())
  expect(answered && serverEvidence(answered)).toMatchObject({
    asked: `SOA . +dnssec @${server.address}`,
    answers: [
      expect.stringMatching(/^NOERROR, AD set, \d+ ms$/),
      'SOA',
      expect.stringMatching(/^RRSIG valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d$/),
    ],
    failure: null,
  })
  expect(refused).toEqual({ server: gone.address, answer: null, failure: 'ECONNREFUSED' })
})

test('a server that keeps silent is no answer', async () => {
  const server = await startNameServer(new Map([['', { failure: 'silence' }]]))
  const observed = await askServers([server.address], { timeoutMs: 40, signal })
  await server.close()
  expect(observed).toEqual([{ server: server.address, answer: null, failure: 'no answer within 40 ms' }])
})
