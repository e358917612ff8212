/** What examples get when they import `mxpress/nodemailer`: the transport itself, with the stand-in's agent behind it. */
import {
  createTransport as create,
  type Transport,
  type TransportOptions,
} from '../../src/adapters/nodemailer.ts'
import type { Agent, AgentOptions } from '../../src/index.ts'
import { createAgent } from './stand-in.ts'

export * from '../../src/adapters/nodemailer.ts'

export function createTransport(agent: AgentOptions | Agent = {}, options: TransportOptions = {}): Transport {
  if ('prepare' in agent) return create(agent, options)
  const own = createAgent(agent)
  const transport = create(own, options)
  // The transport closes only an agent that it made itself.
  transport.once('close', () => own.close())
  return transport
}
