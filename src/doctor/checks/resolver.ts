/** Do the name servers answer? Each is asked by itself: one dead among three costs every lookup a time-out. */
import { defineCheck } from '../check.ts'
import { type ServerObservation, serverEvidence } from '../name-servers.ts'
import { type Finding, ok, problem, type Remedy, setting, warning } from '../result.ts'

/** A cold domain costs three lookups one after another before anything is dialled. */
const SLOW_MS = 1_000

const mend: readonly Remedy[] = [
  setting('Name servers that answer, best one on this host.', '[dns]\nservers = ["127.0.0.1"]'),
]

/** An answer that is no answer (REFUSED, SERVFAIL) is as good as none. */
export function judgeResolver(servers: readonly ServerObservation[]): readonly Finding[] {
  const evidence = servers.map(serverEvidence)
  const working = servers.filter(({ answer }) => answer?.rcode === 'NOERROR')
  const failing = servers.filter((server) => !working.includes(server)).map(({ server }) => server)
  const answering = working.map(({ server }) => server).join(', ')
  if (working.length === 0) {
    const summary = servers.length === 0 ? 'No name server is configured.' : 'No name server answers.'
    return [problem({ code: 'resolver-silent', summary, evidence, remedies: mend })]
  }
  if (failing.length > 0) {
    const summary = `${failing.join(', ')} of the name servers ${failing.length > 1 ? 'do' : 'does'} not answer; ${answering} ${working.length > 1 ? 'do' : 'does'}.`
    return [warning({ code: 'resolver-partly-silent', summary, evidence, remedies: mend })]
  }
  const slowestMs = Math.round(Math.max(...working.map(({ answer }) => answer?.durationMs ?? 0)))
  if (slowestMs > SLOW_MS) {
    const summary = `The name servers take up to ${slowestMs} ms to answer.`
    return [warning({ code: 'resolver-slow', summary, evidence, remedies: mend })]
  }
  return [
    ok({ code: 'resolver-answers', summary: `${answering} answered within ${slowestMs} ms.`, evidence }),
  ]
}

export const resolverCheck = defineCheck({
  name: 'resolver',
  title: 'Name servers',
  observe: (around) => around.nameServers(),
  judge: judgeResolver,
})
