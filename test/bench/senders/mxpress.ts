/**
 * mxpress as its users have it: the built package's `createAgent` and one `deliver` for all recipients, with the log
 * on. A static route leads to the sink, as an operator may configure one; nothing else is special.
 */
import { join } from 'node:path'
import { takeJob, tellParent } from '../child.ts'
import { makeContent, recipientDomain, reversePath } from '../content.ts'
import { UsageMeter } from '../usage.ts'
import type { SenderJob } from './job.ts'

// By URL, because the types come from the source and the program from the build.
const dist = new URL('../../../dist/', import.meta.url)
const { createAgent }: typeof import('../../../src/index.ts') = await import(new URL('index.js', dist).href)
const { messageFromBytes }: typeof import('../../../src/mail/message.ts') = await import(
  new URL('mail/message.js', dist).href
)

const job = await takeJob<SenderJob>()
const message = messageFromBytes(makeContent(job.octets))
const recipients = Array.from({ length: job.messages }, (_, index) => ({
  address: { localPart: `user${index}`, domain: recipientDomain },
  field: 'to' as const,
}))
const usage = new UsageMeter(job.messages)
const agent = createAgent({
  hostname: 'bench.sender.test',
  routes: { [recipientDomain]: `127.0.0.1:${job.port}` },
  delivery: {
    concurrency: job.sessions,
    perSite: job.sessions,
    // As `maxMessages` of nodemailer's pool here: reconnecting is not what is measured.
    messagesPerSession: Number.MAX_SAFE_INTEGER,
  },
  log: { file: join(job.directory, 'mxpress.log') },
})
for await (const outcome of agent.deliver(message, { reversePath, recipients })) {
  if (outcome.kind !== 'delivered') throw new Error(`not delivered: ${JSON.stringify(outcome)}`)
  usage.delivered()
}
await agent.close()
tellParent(usage.report())
