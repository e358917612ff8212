/** Is mail signed, and do receivers find the key that verifies it? */
import { defineCheck } from '../check.ts'
import type { DkimKeyObservation, DkimObservation } from '../dkim-keys.ts'
import { advice, cannotTell, type Finding, ok, problem, publish, runCommand, warning } from '../result.ts'
import { txtLine } from '../zone-line.ts'

/** One finding a key, or one that there is none. */
export function judgeDkim({ domain, keys }: DkimObservation): readonly Finding[] {
  if (keys.length === 0) return [unsigned(domain)]
  const isRsaThere = keys.some(({ algorithm }) => algorithm === 'rsa')
  const remark = 'Many receivers know RSA only: sign with such a key too.'
  return keys.map((key) =>
    judgeKey(isRsaThere || key.algorithm === null ? key : { ...key, remarks: [...key.remarks, remark] }),
  )
}

function unsigned(domain: string): Finding {
  const summary = `Mail of ${domain} is not signed; large receivers hide or refuse such mail.`
  const text = 'Make a key, publish its record, and name it in the configuration.'
  const remedies = [runCommand(text, `mxpress dkim keygen --domain ${domain} --selector mx1`)]
  return warning({ code: 'dkim-unsigned', summary, remedies })
}

const better = advice('Mend what is said of it; where that is the key, with a new key under a new selector.')

function judgeKey({ selector, kind, text, remarks, record, evidence }: DkimKeyObservation): Finding {
  const said = { subject: selector, evidence }
  const remedies =
    record === null ? [] : [publish('Publish the record of our key.', txtLine(record.name, record.value))]
  switch (kind) {
    case 'matches':
      return remarks.length === 0
        ? ok({ ...said, code: 'dkim-matches', summary: 'The published key is ours.' })
        : warning({
            ...said,
            code: 'dkim-doubtful',
            summary: `The published key is ours. ${remarks.join(' ')}`,
            remedies: [better],
          })
    case 'missing':
      return problem({
        ...said,
        code: 'dkim-missing',
        summary: `The key is not published. ${text}`,
        remedies,
      })
    case 'wrong':
      return problem({ ...said, code: 'dkim-wrong', summary: `Receivers cannot verify. ${text}`, remedies })
    case 'unanswered':
      return cannotTell({ ...said, code: 'dkim-unanswered', summary: text })
    case 'unreadable':
      return problem({
        ...said,
        code: 'dkim-key-unreadable',
        summary: text,
        remedies: [
          advice(
            'Let the user that mxpress runs as read the key, or make a new one with mxpress dkim keygen.',
          ),
        ],
      })
    default:
      throw kind satisfies never
  }
}

export const dkimCheck = defineCheck<DkimObservation>({
  name: 'dkim',
  title: 'DKIM',
  observe: (around) => around.dkim(),
  judge: judgeDkim,
})
