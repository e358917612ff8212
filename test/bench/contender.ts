/** Who is measured, and against which sink. */

import { runSender } from './sender-process.ts'
import type { SenderJob } from './senders/job.ts'
import { findSmtpSource, runSmtpSource } from './smtp-source.ts'
import type { SenderReport } from './usage.ts'
import type { Workload } from './workload.ts'

/** One way of sending the workload. */
export interface Contender {
  /** As tables and `--only` name it. */
  readonly name: string
  /** What the sink offers in reply to EHLO. */
  readonly keywords: readonly string[]
  /** It sends our message octet for octet, so the sink can check it. */
  readonly sendsOurContent: boolean
  /** Whether it is worth measuring with this workload. */
  takesPart(workload: Workload): boolean
  send(job: SenderJob, deadlineMs: number): Promise<SenderReport>
}

const dataKeywords = ['PIPELINING', 'SIZE 104857600', '8BITMIME', 'ENHANCEDSTATUSCODES']
const bdatKeywords = [...dataKeywords, 'CHUNKING']

/** The contender that all others are compared with. */
export const yardstick = 'nodemailer'

/** Everyone who can run here, in the order of the table. */
export function contenders(): readonly Contender[] {
  const smtpSource = findSmtpSource()
  return [
    ours('mxpress BDAT', bdatKeywords),
    ours('mxpress DATA', dataKeywords),
    theirs(yardstick, 'nodemailer', () => true),
    // 10.6 spends more on large messages than 7 did.
    theirs('nodemailer 7', 'nodemailer7', ({ octets }) => octets > 16 * 1024),
    ...(smtpSource === null ? [] : [fromPostfix(smtpSource)]),
  ]
}

function ours(name: string, keywords: readonly string[]): Contender {
  return {
    name,
    keywords,
    sendsOurContent: true,
    takesPart: () => true,
    send: (job, deadlineMs) => runSender(new URL('senders/mxpress.ts', import.meta.url), job, deadlineMs),
  }
}

function theirs(name: string, packageName: string, takesPart: Contender['takesPart']): Contender {
  return {
    name,
    keywords: bdatKeywords,
    sendsOurContent: true,
    takesPart,
    send: (job, deadlineMs) => {
      const module = new URL('senders/nodemailer.ts', import.meta.url)
      return runSender(module, { ...job, package: packageName }, deadlineMs)
    },
  }
}

function fromPostfix(binary: string): Contender {
  return {
    name: 'smtp-source -d',
    keywords: bdatKeywords,
    sendsOurContent: false,
    takesPart: () => true,
    send: (job, deadlineMs) => runSmtpSource(binary, job, deadlineMs),
  }
}
