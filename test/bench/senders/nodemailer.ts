/** nodemailer's pooled transport, sending a raw message once for each recipient. */
import type { Transporter } from 'nodemailer'
import { takeJob, tellParent } from '../child.ts'
import { makeContent, recipientDomain, reversePath } from '../content.ts'
import { UsageMeter } from '../usage.ts'
import type { SenderJob } from './job.ts'

/** Messages handed to the pool per session: one on its way, one that waits, so that no session ever idles. */
const queuedPerSession = 2

const job = await takeJob<SenderJob>()
const { createTransport } = (await import(job.package ?? 'nodemailer')) as typeof import('nodemailer')
const raw = makeContent(job.octets)
const usage = new UsageMeter(job.messages)
const transport: Transporter = createTransport({
  pool: true,
  host: '127.0.0.1',
  port: job.port,
  ignoreTLS: true,
  maxConnections: job.sessions,
  maxMessages: Number.POSITIVE_INFINITY,
})
let next = 0
await Promise.all(Array.from({ length: job.sessions * queuedPerSession }, sendInTurn))
transport.close()
tellParent(usage.report())

async function sendInTurn(): Promise<void> {
  while (next < job.messages) {
    const to = `user${next++}@${recipientDomain}`
    await transport.sendMail({
      envelope: { from: `${reversePath.localPart}@${reversePath.domain}`, to: [to] },
      raw,
    })
    usage.delivered()
  }
}
