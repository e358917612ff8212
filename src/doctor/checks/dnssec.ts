/**
 * Does the resolver validate DNSSEC? The AD bit of an answer about a signed name says so (RFC 6840 §5.8). Without it
 * whoever forges an answer can send our mail where he likes, and DANE cannot be had.
 */
import { defineCheck } from '../check.ts'
import { type ServerObservation, serverEvidence } from '../name-servers.ts'
import { cannotTell, type Finding, ok, type Remedy, runCommand, setting, warning } from '../result.ts'

const mend: readonly Remedy[] = [
  runCommand('Run a validating resolver on this host.', 'apt-get install unbound'),
  setting('Then ask it.', '[dns]\nservers = ["127.0.0.1"]'),
]

/** The root is signed: a server that validates says so of it. All must, as any may be asked. */
export function judgeDnssec(servers: readonly ServerObservation[]): readonly Finding[] {
  const evidence = servers.map(serverEvidence)
  const answered = servers.filter(({ answer }) => answer?.rcode === 'NOERROR')
  if (answered.length === 0)
    return [cannotTell({ code: 'dnssec-unanswered', summary: 'No name server answered.', evidence })]
  const lacking = answered.filter(({ answer }) => answer?.isValidated !== true).map(({ server }) => server)
  if (lacking.length > 0) {
    const verb = lacking.length > 1 ? 'do' : 'does'
    const summary = `${lacking.join(', ')} ${verb} not validate DNSSEC.`
    return [warning({ code: 'dnssec-not-validated', summary, evidence, remedies: mend })]
  }
  return [ok({ code: 'dnssec-validated', summary: 'Answers are validated.', evidence })]
}

export const dnssecCheck = defineCheck({
  name: 'dnssec',
  title: 'DNSSEC',
  observe: (around) => around.nameServers(),
  judge: judgeDnssec,
})
