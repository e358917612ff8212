/**
 * A greylisting policy server as Postfix asks one (its SMTPD_POLICY_README): who is new, as Postgrey sees it, is deferred.
 * One rule: no clock; a triplet of client, sender and recipient is known the second time it is asked about.
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

/** A question of the server, by the names it gives its attributes. */
export type Question = Readonly<Record<string, string>>

/** A running policy server; close it. */
export interface Greylist {
  readonly port: number
  /** What was asked about a recipient, in order. */
  asked(recipient: string): readonly Question[]
  close(): void
}

/** Starts a server that answers about unknown triplets what `deferral` says for the recipient, such as `4.2.0 Later`. */
export async function startGreylist(deferral: (recipient: string) => string): Promise<Greylist> {
  const questions: Question[] = []
  const seen = new Set<string>()
  const sockets = new Set<Socket>()
  const decide = (question: Question): string => {
    questions.push(question)
    const triplet = [question.client_address, question.sender, question.recipient].join(' ')
    if (seen.has(triplet)) return 'DUNNO'
    seen.add(triplet)
    // An unknown mailbox is said at once: a refusal for good goes before a deferral that depends on there being none.
    return `DEFER_IF_PERMIT ${deferral(question.recipient ?? '')}`
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    converse(socket, decide)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    port,
    asked: (recipient) => questions.filter((question) => question.recipient === recipient),
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Lines of `name=value`, and a blank one that ends the question; one connection carries many. */
function converse(socket: Socket, decide: (question: Question) => string): void {
  let waiting = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (waiting + chunk).split('\n\n')
    waiting = parts.pop() ?? ''
    for (const part of parts) socket.write(`action=${decide(parseQuestion(part))}\n\n`)
  })
  // smtpd goes away as it likes.
  socket.on('error', () => {})
}

function parseQuestion(text: string): Question {
  return Object.fromEntries(
    text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}
