/**
 * OpenSMTPD: `smtpd -d` with a configuration of its own, mailboxes by its mail.maildir.
 * It puts Return-Path, Delivered-To and Received in front and stores LF line ends. Its spool and its control socket
 * have compiled-in paths: a mount namespace puts directories of our own there, where the kernel lets us make one.
 */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type CertificateFiles, freePort, inNewHome, makeCertificate, makeDirectory } from './home.ts'
import type { Mta, MtaOptions } from './mta.ts'
import { runMta } from './running-mta.ts'
import type { ServerCommand } from './server-process.ts'

const run = promisify(execFile)

/** Starts OpenSMTPD from the file tree at `root`. @throws {Error} with its log when it does not come up. */
export function startOpenSmtpd(root: string, options: MtaOptions): Promise<Mta> {
  return inNewHome('opensmtpd', (home) => startIn(home, root, options))
}

async function startIn(home: string, root: string, options: MtaOptions): Promise<Mta> {
  const port = await freePort(options.address)
  const smtpd = join(root, 'usr/sbin/smtpd')
  const files = await makeCertificate(home, `mx.${options.domain}`, options.address)
  await makeDirectory(join(home, 'mail'), 'nobody')
  const configuration = join(home, 'smtpd.conf')
  await writeFile(configuration, smtpdConf(home, root, { ...options, ...files, port }), { mode: 0o600 })
  return runMta({
    name: 'OpenSMTPD',
    ip: options.address,
    port,
    domain: options.domain,
    version: await versionOf(smtpd),
    home,
    mailboxes: join(home, 'mail'),
    certificateFile: join(home, 'certificate.pem'),
    logFiles: [],
    command: await command(home, [smtpd, '-d', '-f', configuration]),
  })
}

async function versionOf(smtpd: string): Promise<string> {
  const { stdout, stderr } = await run(smtpd, ['-h']).catch(
    (usage: { stdout: string; stderr: string }) => usage,
  )
  return /OpenSMTPD (\S+)/.exec(stdout + stderr)?.[1] ?? ''
}

const isolate = `mount --bind "$1/spool" /var/spool/smtpd && mount --bind "$1/run" /run && shift && exec "$@"`

async function command(home: string, smtpd: readonly string[]): Promise<ServerCommand> {
  const outputFile = join(home, 'output')
  await mkdir(join(home, 'run'))
  await makeDirectory(join(home, 'spool'), 'root', 0o711)
  if (await canMount()) {
    return { file: 'unshare', args: ['--mount', 'sh', '-c', isolate, 'sh', home, ...smtpd], outputFile }
  }
  // In the compiled-in places then; smtpd itself refuses to start where another one listens.
  const [file = '', ...args] = smtpd
  return { file, args, outputFile }
}

function canMount(): Promise<boolean> {
  return run('unshare', ['--mount', 'true']).then(
    () => true,
    () => false,
  )
}

interface SmtpdOptions extends MtaOptions, CertificateFiles {
  readonly port: number
}

function smtpdConf(home: string, root: string, options: SmtpdOptions): string {
  const host = `mx.${options.domain}`
  const addresses = options.mailboxes.map((user) => `"${user}@${options.domain}"`)
  return `smtp max-message-size "${options.sizeLimitOctets ?? 10_000_000}"
pki "${host}" cert "${options.certificate}"
pki "${host}" key "${options.key}"
table mailboxes { ${addresses.join(', ')} }
table users { ${addresses.map((address) => `${address} = "nobody"`).join(', ')} }
listen on ${options.address} port ${options.port} tls pki "${host}" hostname "${host}"
action "store" mda "${join(root, 'usr/libexec/opensmtpd/mail.maildir')} ${home}/mail/%{dest.user}" virtual <users>
match from any for rcpt-to <mailboxes> action "store"
`
}
