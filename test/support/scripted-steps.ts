/** Scripts made of steps, and the script of an ordinary server of which a test changes a reply or two. */
import type { SecureContext } from 'node:tls'
import type { Conversation } from './scripted-conversation.ts'

/** A reply to send (lines without CRLF), a command to expect, or anything else to do. */
export type Step =
  | { readonly reply: string | readonly string[] }
  | { readonly expect: string | RegExp }
  | ((client: Conversation) => Promise<void> | void)

/** Runs steps in order. @throws when the client says something else than expected */
export async function follow(steps: readonly Step[], client: Conversation): Promise<void> {
  for (const step of steps) {
    if (typeof step === 'function') await step(client)
    else if ('reply' in step) await client.reply(...[step.reply].flat())
    else await expectCommand(step.expect, client)
  }
}

async function expectCommand(expected: string | RegExp, client: Conversation): Promise<void> {
  const command = await client.command()
  const isExpected = typeof expected === 'string' ? command === expected : expected.test(command)
  if (!isExpected) throw new Error(`the script expected ${expected}, the client said ${command}`)
}

/** Never says another word; the client has to end it. */
export const silence = (client: Conversation): Promise<void> => client.untilGone()

/** A reply (lines without CRLF), or something to do instead of one. */
export type Answer =
  | string
  | readonly string[]
  | ((client: Conversation, command: string) => Promise<void> | void)

/** Replies by command; a list of answers inside a function is up to the test. What is left out is answered with 250. */
export interface Answers {
  readonly greeting?: Answer
  readonly EHLO?: Answer
  readonly HELO?: Answer
  readonly MAIL?: Answer
  readonly RCPT?: Answer
  readonly DATA?: Answer
  readonly RSET?: Answer
  readonly QUIT?: Answer
  readonly STARTTLS?: Answer
  readonly AUTH?: Answer
  /** To each chunk, with `BDAT`'s words. */
  readonly BDAT?: Answer
  /** To the lone dot. */
  readonly content?: Answer
  /** Offered in the default reply to EHLO. */
  readonly offers?: readonly string[]
  /** Where STARTTLS is not answered otherwise, the handshake is done with this. */
  readonly secureContext?: SecureContext
  /** The handshake of `secureContext` comes before the greeting. */
  readonly isTlsImplicit?: boolean
}

/** An ordinary server with the given answers; it reads content where it has asked for it. */
export function ordinary(answers: Answers = {}): (client: Conversation) => Promise<void> {
  return async (client) => {
    if (answers.isTlsImplicit && answers.secureContext !== undefined)
      await client.startTls(answers.secureContext)
    await give(answers.greeting ?? '220 mx.example.test ESMTP', client)
    for (;;) {
      const command = await client.command()
      const verb = command.split(/[ :]/)[0]?.toUpperCase() ?? ''
      await answer(verb, command, answers, client)
      if (verb === 'QUIT') return client.close()
    }
  }
}

async function answer(verb: string, command: string, answers: Answers, client: Conversation): Promise<void> {
  switch (verb) {
    case 'EHLO':
      return give(answers.EHLO ?? ehloReply(answers.offers ?? []), client)
    case 'STARTTLS':
      if (answers.STARTTLS !== undefined || answers.secureContext === undefined) {
        return give(answers.STARTTLS ?? '502 5.5.1 no', client)
      }
      await client.reply('220 2.0.0 go ahead')
      return client.startTls(answers.secureContext)
    case 'AUTH':
      return give(answers.AUTH ?? '503 5.5.1 no AUTH here', client, command)
    case 'DATA':
      if (answers.DATA !== undefined) return give(answers.DATA, client)
      await client.reply('354 go ahead')
      await client.dataContent()
      return give(answers.content ?? '250 2.0.0 taken', client)
    case 'BDAT':
      await client.octets(Number(command.split(' ')[1]))
      return give(answers.BDAT ?? '250 2.0.0 taken', client)
    case 'QUIT':
      return give(answers.QUIT ?? '221 2.0.0 bye', client)
    case 'HELO':
    case 'MAIL':
    case 'RCPT':
    case 'RSET':
      return give(answers[verb] ?? '250 2.0.0 ok', client, command)
    default:
      return give('500 5.5.2 unknown command', client)
  }
}

async function give(answer: Answer, client: Conversation, command = ''): Promise<void> {
  if (typeof answer === 'function') await answer(client, command)
  else await client.reply(...[answer].flat())
}

/** A 250 reply to EHLO with these keywords. */
export function ehloReply(offers: readonly string[]): readonly string[] {
  const lines = ['mx.example.test', ...offers]
  return lines.map((line, index) => `250${index < lines.length - 1 ? '-' : ' '}${line}`)
}
