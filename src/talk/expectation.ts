/** What a script expects of a reply. One rule: what cannot be met by any reply is refused when it is read. */
import { type HeardReply, heardText } from './heard-reply.ts'

/** A reply with one of these codes, holding the text; or the end of the connection. */
export type Expectation =
  | {
      readonly kind: 'reply'
      readonly written: string
      readonly codes: readonly RegExp[]
      readonly text: string
    }
  | { readonly kind: 'close'; readonly written: string }

/** What to write, for messages. */
export const expectationForms = '`250`, `250|251`, `2xx`, `550 5.1.1`, `any` or `close`'

const CODE = /^[2-5](?:\d\d|\dx|xx)$/i

/** Reads what stands after `:expect`; `null` for what is none. */
export function parseExpectation(written: string): Expectation | null {
  const [, codes = '', text = ''] = /^(\S+)(?:\s+(.*))?$/s.exec(written.trim()) ?? []
  if (/^close$/i.test(codes) && text === '') return { kind: 'close', written: 'the connection to be closed' }
  if (/^any$/i.test(codes)) return { kind: 'reply', written: 'any reply', codes: [/^\d{3}$/], text }
  const parts = codes.split('|')
  if (!parts.every((part) => CODE.test(part))) return null
  const patterns = parts.map((part) => new RegExp(`^${part.replace(/x/gi, '\\d')}$`))
  return { kind: 'reply', written: written.trim(), codes: patterns, text }
}

/** What is expected where nothing is said: that the dialogue can go on. */
export const goodReply: Expectation = {
  kind: 'reply',
  written: '2xx or 3xx',
  codes: [/^[23]\d\d$/],
  text: '',
}

/** Whether the reply is as expected. The text is looked for behind the code, in any case. */
export function meets(reply: HeardReply, expectation: Expectation): boolean {
  if (expectation.kind === 'close' || reply.code === null) return false
  const { codes, text } = expectation
  if (!codes.some((code) => code.test(`${reply.code}`))) return false
  return heardText(reply).toLowerCase().includes(text.toLowerCase())
}
