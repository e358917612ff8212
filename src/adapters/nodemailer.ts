/**
 * `mxpress/nodemailer`: what nodemailer composes, mxpress delivers, straight to each recipient's own servers.
 * One rule: nothing is required of nodemailer but its plug-in contract, so any of its versions will do.
 */
import type { Agent } from '../agent/agent.ts'
import { createAgent } from '../agent.ts'
import type { AgentOptions } from '../config/options.ts'
import { Transport, type TransportOptions } from './nodemailer-transport.ts'

export { type NodemailerCode, RecipientError, RelayError, TransportError } from './nodemailer-errors.ts'
export type { MailData, NodemailerDsn, NodemailerEnvelope, NodemailerMail } from './nodemailer-mail.ts'
export { AbortedError, DeliveryError, type SentMessageInfo } from './nodemailer-result.ts'
export type { SendCallback, Transport, TransportOptions, VerifyCallback } from './nodemailer-transport.ts'

/**
 * Makes a transport for nodemailer.
 * @param agent the options of an agent that the transport makes and closes, or an agent that its owner closes
 * @throws {TypeError} for a wrong option: its name, what was expected, what was found
 * @example
 * ```ts
 * import nodemailer from 'nodemailer'
 * import { createTransport } from 'mxpress/nodemailer'
 *
 * const transporter = nodemailer.createTransport(createTransport({ hostname: 'mail.example.org' }))
 * const info = await transporter.sendMail({ from: 'alice@example.org', to: 'bob@example.net', subject: 'Hi', text: 'Hello' })
 * console.log(info.accepted, info.response)
 * await transporter.close()
 * ```
 */
export function createTransport(agent: AgentOptions | Agent = {}, options: TransportOptions = {}): Transport {
  const { queue = false, idleBelow = 100 } = checked(options)
  const isGiven = isAgent(agent)
  return new Transport(isGiven ? agent : createAgent(agent), { queue, idleBelow, ownsAgent: !isGiven })
}

function isAgent(agent: AgentOptions | Agent): agent is Agent {
  return 'prepare' in agent && typeof agent.prepare === 'function'
}

function checked(options: TransportOptions): TransportOptions {
  const { queue, idleBelow, ...unknown } = options
  const [surplus] = Object.keys(unknown)
  if (surplus !== undefined)
    throw new TypeError(`Expected \`queue\` or \`idleBelow\`, got the unknown option \`${surplus}\``)
  if (queue !== undefined && typeof queue !== 'boolean') {
    throw new TypeError(`Expected \`queue\` to be true or false, got \`${queue}\``)
  }
  if (idleBelow !== undefined && !(Number.isSafeInteger(idleBelow) && idleBelow >= 1)) {
    throw new TypeError(`Expected \`idleBelow\` to be a whole number from 1, got \`${idleBelow}\``)
  }
  return options
}
