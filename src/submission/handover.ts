/**
 * Mail handed to the submission listener of this host, by whoever cannot write to the queue itself.
 * One rule: as with the queue, what resolves is on disk (the listener's 250 says so), and only a loopback address is
 * dialled: the mail never leaves this host unencrypted.
 */
import { Connection } from '../client/connection.ts'
import { dial } from '../client/dial.ts'
import { type HandOverEnd, handOver } from '../client/handover.ts'
import { openSession } from '../client/opening.ts'
import type { Session } from '../client/session.ts'
import { TlsClient } from '../client/tls.ts'
import type { Timeouts } from '../config/timeouts.ts'
import { needsSmtpUtf8 } from '../mail/address.ts'
import type { Target } from '../route/targets.ts'
import { formatReply } from '../smtp/reply.ts'
import type { Accept, SubmittedMail } from './acceptance.ts'
import { formatListenAddress, isLoopback, type ListenAddress, parseListenAddress } from './listen-address.ts'

/** Where the listener is, and who asks. */
export interface HandOverOptions {
  /** As the listener's own: those that are loopback, with a port, are dialled in their order. */
  readonly listen: readonly string[]
  /** Given in EHLO. */
  readonly hostname: string
  readonly timeouts: Timeouts
}

/** The listener did not take the mail. */
export class HandOverError extends Error {
  override readonly name = 'HandOverError'
  readonly code = 'ERR_HANDOVER'
  /** It said that it never will (5xx). */
  readonly isFinal: boolean

  constructor(message: string, { isFinal, cause }: { readonly isFinal: boolean; readonly cause?: unknown }) {
    super(message, { cause })
    this.isFinal = isFinal
  }
}

/** Takes mail by handing it over. What it gives back throws {HandOverError}. */
export function handOverTo(options: HandOverOptions): Accept {
  const addresses = options.listen
    .map(parseListenAddress)
    .filter(({ ip, port }) => isLoopback(ip) && port !== 0)
  const names = addresses.map(formatListenAddress).join(', ')
  return async (mail) => {
    if (addresses.length === 0) {
      throw new HandOverError('submission.listen has no loopback address to hand it to', { isFinal: false })
    }
    try {
      const end = await handOverAt(addresses.map(targetOf), mail, options)
      return accepted(end, names)
    } catch (error) {
      if (error instanceof HandOverError) throw error
      const { message } = error as Error
      throw new HandOverError(`nobody takes it at ${names}: ${message}`, { isFinal: false, cause: error })
    }
  }
}

async function handOverAt(
  targets: readonly Target[],
  mail: SubmittedMail,
  options: HandOverOptions,
): Promise<HandOverEnd> {
  const { connected, failures } = await dial(targets, { connectMs: options.timeouts.connectMs })
  if (connected === null) throw new Error(failures.map(({ error }) => error.message).join(', '))
  const session = await openSession(new Connection(connected), connected.target, {
    ...options,
    tlsPolicy: { mode: 'off', minVersion: 'TLSv1.2', decidedBy: 'loopback' },
    tlsClient: new TlsClient(),
  })
  try {
    return await handOver(session, { ...mail, smtpUtf8: suitedUtf8(session, mail) })
  } finally {
    await session.quit()
  }
}

/** @returns whether SMTPUTF8 is needed. @throws {HandOverError} whoever listens there cannot take this mail as it is */
function suitedUtf8({ extensions }: Session, { message, envelope }: SubmittedMail): boolean {
  const { reversePath, recipients } = envelope
  const addresses = [
    ...recipients.map(({ address }) => address),
    ...(reversePath === null ? [] : [reversePath]),
  ]
  const smtpUtf8 = message.requires.has('SMTPUTF8') || addresses.some(needsSmtpUtf8)
  const lacks = [
    ...(smtpUtf8 && !extensions.smtpUtf8 ? ['SMTPUTF8'] : []),
    ...(message.requires.has('8BITMIME') && !extensions.eightBitMime ? ['8BITMIME'] : []),
  ]
  if (lacks.length === 0) return smtpUtf8
  throw new HandOverError(`the listener lacks ${lacks.join(' and ')}, which the mail needs`, {
    isFinal: false,
  })
}

function accepted({ stage, reply }: HandOverEnd, names: string): { readonly queueId: string } {
  if (reply.code < 300 && stage === 'end-of-data') {
    // Our own listener's words; whoever else may sit there has taken the mail all the same.
    return { queueId: /queued as (\S+)/.exec(reply.lines.join(' '))?.[1] ?? '-' }
  }
  const said = `${names} replied ${formatReply(reply)} at ${stage}`
  throw new HandOverError(said, { isFinal: reply.code >= 500 })
}

function targetOf({ ip, port }: ListenAddress): Target {
  const isIpv6 = ip.includes(':')
  const host = isIpv6 ? `[IPv6:${ip}]` : `[${ip}]`
  return { exchanger: { host, preference: 0, implicit: true, port }, ip, family: isIpv6 ? 6 : 4 }
}
