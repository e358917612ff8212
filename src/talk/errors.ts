/** How a dialogue can end otherwise than it should. The text of the peer in messages is escaped where it is shown. */
import { type HeardReply, heardText } from './heard-reply.ts'

/** What was typed or stands in a script is malformed, or ends too early. */
export class TalkInputError extends Error {
  override readonly name = 'TalkInputError'
  readonly code = 'ERR_TALK_INPUT'
}

/** The reply is not the one that was expected. */
export class UnexpectedReplyError extends Error {
  override readonly name = 'UnexpectedReplyError'
  readonly code = 'ERR_TALK_UNEXPECTED'
  /** `null`: there was none, or it was no reply. */
  readonly replyCode: number | null

  /** `words`: ours, where there was no reply. */
  constructor(expected: string, found: { readonly reply: HeardReply } | { readonly words: string }) {
    super(`expected ${expected}, found ${'reply' in found ? describe(found.reply) : found.words}`)
    this.replyCode = 'reply' in found ? found.reply.code : null
  }
}

function describe(reply: HeardReply): string {
  return reply.code === null ? `what is no reply: ${heardText(reply)}` : heardText(reply)
}
