/**
 * `mxpress sendmail`: what programs call that know mail only as sendmail(8). One rule: exit 0 says that the message is on
 * disk in a queue, whether a daemon runs or not; anything else says that nothing was kept.
 */
import { randomBytes } from 'node:crypto'
import os from 'node:os'
import type { Command } from 'commander'
import { openSigning } from '../../agent/signing.ts'
import { systemHostname } from '../../config/hostname.ts'
import { resolveSettings, type Settings } from '../../config/settings.ts'
import { createSystemResolver } from '../../dns/system.ts'
import { AddressError, formatAddress, parseReversePath } from '../../mail/address.ts'
import { parseAddressList } from '../../mail/address-list.ts'
import type { Signer } from '../../mail/signer.ts'
import { openSqliteQueue } from '../../queue/sqlite/store.ts'
import type { Accept, SubmittedMail } from '../../submission/acceptance.ts'
import { readMessage } from '../../submission/input-end.ts'
import { prepareLocal } from '../../submission/local-mail.ts'
import { serveSession } from '../../submission/local-session.ts'
import { qualifyAddress, qualifyList } from '../../submission/qualify.ts'
import { Refusal } from '../../submission/refusal.ts'
import { systemClock } from '../../time/clock.ts'
import { type AgentOptionValues, addQueueOption, readAgentOptions } from '../agent-options.ts'
import { type CommonOptions, newCommand } from '../command.ts'
import { InputDataError, UsageError } from '../errors.ts'
import { given } from '../option-values.ts'
import { listForPeople } from '../queue/list.ts'
import { formatJson, noteLine, printLine, warn } from '../terminal.ts'
import { parseSendmailArguments, type SendmailArguments } from './arguments.ts'
import { openWayIn, type WayIn } from './way.ts'

type SendmailOptions = CommonOptions & Pick<AgentOptionValues, 'queue' | 'hostname'>

const valuedLong: ReadonlySet<string> = new Set(['--config', '--queue', '--hostname'])

const classicHelp = `
Classic options:
  -t                   recipients are those of To, Cc and Bcc
  -i, -oi              a line that is a dot alone does not end the message
  -f, -r <address>     reverse-path; '' is the null one
  -F <name>            the sender's name, in a From that the message lacks
  -N <when>            reports: never, or success, failure, delay
  -R <what>, -V <id>   reports: full or hdrs; an id that comes back in them
  -v                   say what became of it
  -bs                  speak SMTP on standard input and output
  -bp                  list the queue
  -q                   make all that waits due now
Others (-oem, -odq, -B, -h, -L, -O, -p, -X, …) are read and mean nothing here.`

/** The command. Its short options are sendmail's and are read by `sendmail-arguments.ts`. */
export function sendmailCommand(): Command {
  const command = newCommand({
    name: 'sendmail',
    summary: 'take a message as sendmail(8) does',
    description:
      'Takes a message on standard input into the queue, for programs that know mail as sendmail(8). Where its user may not write there, it hands the message to the submission listener of this host.',
    examples: [
      'mxpress sendmail -t < message.eml',
      'echo "Backup done" | mxpress sendmail -F Backup root@example.org',
      'mxpress-sendmail -i -f alice@example.org -- bob@example.net < message.eml',
    ],
  })
  return addQueueOption(command)
    .usage('[options] [--] [recipient...]')
    .option('--hostname <name>', "domain of names without one (default: the system's name)")
    .argument('[recipient...]')
    .addHelpText('after', classicHelp)
    .allowUnknownOption()
    .action(async (_recipients: readonly string[], options: SendmailOptions, self: Command) => {
      // commander takes a `--` away; here it says that what follows is an address.
      const argv = (self.parent as unknown as { readonly rawArgs: readonly string[] }).rawArgs.slice(3)
      await sendmail(parseSendmailArguments(argv, valuedLong), options)
    })
}

async function sendmail(args: SendmailArguments, options: SendmailOptions): Promise<void> {
  const { config, queue, hostname } = options
  if (args.mode === 'deliver') checkArguments(args)
  // Whoever calls this has mail and knows nothing of us: a variable in his surroundings is no reason to lose it.
  const onUnknownVariable = (complaint: string): void => warn(`${complaint} (ignored)`)
  const read = await readAgentOptions(given({ config, queue, hostname }), { onUnknownVariable })
  const settings = resolveSettings(read)
  switch (args.mode) {
    case 'deliver':
      return await deliver(args, settings, options)
    case 'session':
      return await serve(args, settings, options)
    case 'list': {
      await using store = await openSqliteQueue(settings.queue.dir, { create: false })
      return await listForPeople(store, { selector: { kind: 'all' } })
    }
    case 'run': {
      await using store = await openSqliteQueue(settings.queue.dir, { create: false })
      await store.retryNow({ kind: 'all' }, systemClock.now())
      return
    }
    default:
      return args.mode satisfies never
  }
}

async function deliver(args: SendmailArguments, settings: Settings, options: SendmailOptions): Promise<void> {
  const hostname = await hostnameOf(settings, args)
  const { maxSize } = settings.submission
  const octets = await readMessage(process.stdin, { endsAtDot: !args.ignoresDots, limitOctets: maxSize })
  if (octets.length > maxSize)
    throw new InputDataError(`the message is larger than ${maxSize} octets (submission.maxSize)`)
  const mail = prepare(args, octets, hostname)
  await using way = await openWay(settings, options, hostname)
  const { queueId } = await way.accept(mail)
  if (options.json) printLine(formatJson(reportOf(mail, queueId)))
  else if (args.isVerbose) noteLine(`queued as ${queueId}: ${countOf(mail)}`)
}

function prepare(args: SendmailArguments, octets: Uint8Array, hostname: string): SubmittedMail {
  const user = os.userInfo({ encoding: 'utf8' })
  const id = randomBytes(6).toString('hex').toUpperCase()
  try {
    return prepareLocal(
      { ...args, octets },
      { hostname, user: user.username, uid: user.uid, id, now: systemClock.now() },
    )
  } catch (error) {
    if (error instanceof Refusal) throw new InputDataError(error.message, { cause: error })
    throw error
  }
}

/** Stands for the domain of names without one while that is not known yet; which one it is makes no address malformed. */
const anyHost = 'localhost'

/**
 * Found out before anything is read: who types a message should not do so for nothing, and a wrong call is one whatever
 * the configuration says.
 */
function checkArguments({ recipients, hasHeaderRecipients, reversePath }: SendmailArguments): void {
  if (recipients.length === 0 && !hasHeaderRecipients) {
    throw new UsageError('nobody to send to: expected recipients, or -t to take those of the header')
  }
  try {
    for (const list of recipients) parseAddressList(qualifyList(list, anyHost))
    if (reversePath !== undefined) parseReversePath(qualifyAddress(reversePath, anyHost))
  } catch (error) {
    if (error instanceof AddressError) throw new UsageError(error.message, { cause: error })
    throw error
  }
}

/** A host without a name of its own can still hand in mail of somebody who has one. */
async function hostnameOf({ hostname }: Settings, { reversePath }: SendmailArguments): Promise<string> {
  if (hostname !== null) return hostname
  return await systemHostname().catch((error: unknown) => {
    if (reversePath?.includes('@')) return os.hostname().toLowerCase() || 'localhost'
    throw error
  })
}

function openWay(settings: Settings, { queue }: SendmailOptions, hostname: string): Promise<WayIn> {
  return openWayIn(settings, {
    hostname,
    isQueueNamed: queue !== undefined,
    openSigner: () => signerFor(settings),
  })
}

/** @throws {ConfigError} whoever writes to the queue signs, and so has to be able to read the keys */
async function signerFor(settings: Settings): Promise<Signer | null> {
  const { servers, timeoutMs } = settings.dns
  const { signer, warnings } = await openSigning({
    settings,
    resolver: createSystemResolver({ servers, timeoutMs }),
    now: () => systemClock.now(),
    // There is no log.
    onUnsigned: ({ messageId, domain, reason }) =>
      warn(`${messageId} goes without a signature${domain && ` of ${domain}`}: ${reason}`),
  })
  for (const text of warnings) warn(text)
  return signer
}

async function serve(args: SendmailArguments, settings: Settings, options: SendmailOptions): Promise<void> {
  const hostname = await hostnameOf(settings, args)
  const { maxSize, maxRecipients } = settings.submission
  await using way = await openWay(settings, options, hostname)
  const streams = { input: process.stdin, output: process.stdout }
  const accept: Accept = async (mail) => {
    try {
      return await way.accept(mail)
    } catch (error) {
      // The reply names no paths, and there is no log: whoever started this is to know why.
      warn((error as Error).message)
      throw error
    }
  }
  await serveSession(streams, { hostname, maxSize, maxRecipients, accept })
}

function countOf({ envelope }: SubmittedMail): string {
  const { length } = envelope.recipients
  return length === 1 ? '1 recipient' : `${length} recipients`
}

function reportOf({ message, envelope }: SubmittedMail, queueId: string) {
  return {
    queueId,
    messageId: message.messageId,
    reversePath: envelope.reversePath === null ? '' : formatAddress(envelope.reversePath),
    recipients: envelope.recipients.map(({ address, field }) => ({ address: formatAddress(address), field })),
  }
}
