/**
 * Exim: the daemon in the foreground with a configuration and a spool of its own, mailboxes by appendfile.
 * It puts Return-path, Envelope-to, Delivery-date and Received in front and stores LF line ends.
 */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type CertificateFiles, freePort, inNewHome, makeCertificate, makeDirectory } from './home.ts'
import type { Mta, MtaOptions, Withholdable } from './mta.ts'
import { runMta } from './running-mta.ts'

const run = promisify(execFile)

/** Debian's Exim gives up root for a configuration that is not its own, and goes on as this user. */
const eximUser = 'Debian-exim'

/** What Exim can be told besides. */
export interface EximRelayOptions extends MtaOptions {
  /** Who may log in, and then send to its mailboxes; nobody else may. Default: no logins, and anybody may. */
  readonly user?: { readonly name: string; readonly password: string }
  /** Further ports to listen on; at 465 TLS comes first (RFC 8314 §3.3). */
  readonly ports?: readonly number[]
}

/** Starts Exim from the file tree at `root`. @throws {Error} with its log when it does not come up. */
export function startExim(root: string, options: EximRelayOptions): Promise<Mta> {
  return inNewHome('exim', (home) => startIn(home, root, options))
}

async function startIn(home: string, root: string, options: EximRelayOptions): Promise<Mta> {
  const port = await freePort(options.address)
  const exim = join(root, 'usr/sbin/exim4')
  const configuration = join(home, 'exim.conf')
  const files = await makeCertificate(home, `mx.${options.domain}`, options.address)
  await run('chown', [eximUser, files.key])
  for (const name of ['spool', 'log', 'mail']) await makeDirectory(join(home, name), eximUser)
  await writeFile(join(home, 'mailboxes'), options.mailboxes.map((user) => `${user}: ${user}\n`).join(''))
  await writeFile(configuration, eximConf(home, exim, { ...options, ...files, port }))
  const { stdout } = await run(exim, ['-C', configuration, '-bV'])
  return runMta({
    name: 'Exim',
    ip: options.address,
    port,
    domain: options.domain,
    version: stdout.split(' ')[2] ?? '',
    home,
    mailboxes: join(home, 'mail'),
    certificateFile: join(home, 'certificate.pem'),
    logFiles: [join(home, 'log/mainlog'), join(home, 'log/panic')],
    command: { file: exim, args: ['-C', configuration, '-bdf', '-q1m'], outputFile: join(home, 'output') },
  })
}

interface EximOptions extends EximRelayOptions, CertificateFiles {
  readonly port: number
}

function eximConf(home: string, exim: string, options: EximOptions): string {
  const offers = (keyword: Withholdable) => !options.withhold?.includes(keyword)
  return `exim_path = ${exim}
keep_environment =
spool_directory = ${home}/spool
log_file_path = ${home}/log/%slog
pid_file_path = ${home}/spool/exim.pid
log_selector = +smtp_connection +tls_cipher +pid
primary_hostname = mx.${options.domain}
domainlist local_domains = ${options.domain}
local_interfaces = <; ${[options.port, ...(options.ports ?? [])].map((port) => `[${options.address}]:${port}`).join(' ; ')}
tls_on_connect_ports = 465
disable_ipv6
host_lookup =
rfc1413_hosts =
message_size_limit = ${options.sizeLimitOctets ?? 10_000_000}
accept_8bitmime = ${offers('8BITMIME') ? 'yes' : 'no'}
smtputf8_advertise_hosts = ${offers('SMTPUTF8') ? '*' : ''}
chunking_advertise_hosts = ${offers('CHUNKING') ? '*' : ''}
pipelining_advertise_hosts = ${offers('PIPELINING') ? '*' : ''}
pipelining_connect_advertise_hosts =
tls_advertise_hosts = *
tls_certificate = ${options.certificate}
tls_privatekey = ${options.key}
acl_smtp_rcpt = check_rcpt
acl_smtp_data = accept

begin acl
check_rcpt:
${options.user === undefined ? '' : '  require authenticated = *\n          message = 550 5.7.1 log in first\n'}  require message = relay not permitted
          domains = +local_domains
  require message = 550 5.1.1 <$local_part@$domain>: no such mailbox here
          verify = recipient
  accept

begin routers
mailboxes:
  driver = accept
  domains = +local_domains
  local_parts = lsearch;${home}/mailboxes
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = ${home}/mail/$local_part_data
  maildir_format
  create_directory
  return_path_add
  envelope_to_add
  delivery_date_add
  user = ${eximUser}
${options.user === undefined ? '' : authenticators(options.user)}`
}

/** Offered under TLS only, CRAM-MD5 apart. */
function authenticators({ name, password }: { readonly name: string; readonly password: string }): string {
  const isRight = (user: string, secret: string): string =>
    `\${if and{{eq{${user}}{${name}}}{eq{${secret}}{${password}}}}}`
  return `
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_advertise_condition = \${if def:tls_in_cipher}
  server_condition = ${isRight('$auth2', '$auth3')}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_advertise_condition = \${if def:tls_in_cipher}
  server_condition = ${isRight('$auth1', '$auth2')}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{$auth1}{${name}}{${password}}fail}
  server_set_id = $auth1
`
}
