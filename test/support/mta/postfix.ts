/**
 * Postfix: `master` in the foreground with a configuration and a queue of its own, mailboxes by virtual(8).
 * virtual(8) puts Return-Path, X-Original-To, Delivered-To and Received in front and stores LF line ends.
 */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort, inNewHome, makeCertificate, makeDirectory } from './home.ts'
import type { Mta, MtaOptions } from './mta.ts'
import { runMta } from './running-mta.ts'

const run = promisify(execFile)

/** What Postfix can be told besides. */
export interface PostfixOptions extends MtaOptions {
  /** More of main.cf, or other values. */
  readonly settings?: Readonly<Record<string, string>>
  /** Variables for all its processes. */
  readonly env?: Readonly<Record<string, string>>
  /** What its smtpd tells Cyrus SASL: `sasl/smtpd.conf`. */
  readonly sasl?: string
  /** Lines at the end of master.cf. */
  readonly services?: readonly string[]
}

/** Starts Postfix from the file tree at `root`. @throws {Error} with its log when it does not come up. */
export function startPostfix(root: string, options: PostfixOptions): Promise<Mta> {
  return inNewHome('postfix', (home) => startIn(home, root, options))
}

async function startIn(home: string, root: string, options: PostfixOptions): Promise<Mta> {
  const port = await freePort(options.address)
  const libraries = join(root, 'usr/lib/postfix')
  const env = {
    PATH: process.env.PATH,
    LD_LIBRARY_PATH: libraries,
    MAIL_CONFIG: join(home, 'etc'),
    ...options.env,
  }
  await writeConfiguration(home, root, { ...options, port })
  await makeQueue(home)
  const { stdout } = await run(join(root, 'usr/sbin/postconf'), ['-h', 'mail_version'], { env })
  return runMta({
    name: 'Postfix',
    ip: options.address,
    port,
    domain: options.domain,
    version: stdout.trim(),
    home,
    mailboxes: join(home, 'mail'),
    certificateFile: join(home, 'certificate.pem'),
    logFiles: [join(home, 'mail.log')],
    command: {
      file: join(libraries, 'sbin/master'),
      // -s: stay in the foreground, as `postfix start-fg` does.
      args: ['-c', join(home, 'etc'), '-s'],
      env,
      outputFile: join(home, 'output'),
    },
  })
}

interface ListeningOptions extends PostfixOptions {
  readonly port: number
}

async function writeConfiguration(home: string, root: string, options: ListeningOptions): Promise<void> {
  const etc = join(home, 'etc')
  await mkdir(etc)
  const { certificate, key } = await makeCertificate(home, `mx.${options.domain}`, options.address)
  const mailboxes = options.mailboxes.map((user) => `${user}@${options.domain} ${user}/\n`)
  await writeFile(join(etc, 'mailboxes'), mailboxes.join(''))
  const { services = [] } = options
  await writeFile(join(etc, 'main.cf'), mainCf(home, root, { ...options, certificate, key }))
  const further = services.map((line) => `${line}\n`).join('')
  await writeFile(join(etc, 'master.cf'), masterCf(options) + further)
  await writeFile(join(etc, 'dynamicmaps.cf'), '')
  if (options.sasl === undefined) return
  await mkdir(join(etc, 'sasl'))
  await writeFile(join(etc, 'sasl/smtpd.conf'), options.sasl)
}

interface MainOptions extends PostfixOptions {
  readonly certificate: string
  readonly key: string
}

/** Each setting once: Postfix warns of every repeated one in every process, and its log daemon locks up over those. */
function mainCf(home: string, root: string, options: MainOptions): string {
  const settings = {
    compatibility_level: '3.6',
    queue_directory: `${home}/queue`,
    data_directory: `${home}/data`,
    config_directory: `${home}/etc`,
    meta_directory: `${home}/etc`,
    daemon_directory: `${root}/usr/lib/postfix/sbin`,
    command_directory: `${root}/usr/sbin`,
    shlib_directory: `${root}/usr/lib/postfix`,
    import_environment: ['PATH', 'LD_LIBRARY_PATH', 'MAIL_CONFIG', ...Object.keys(options.env ?? {})].join(
      ' ',
    ),
    maillog_file: `${home}/mail.log`,
    maillog_file_prefixes: home,
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    myhostname: `mx.${options.domain}`,
    mydestination: '',
    local_recipient_maps: '',
    mynetworks: '127.255.255.255/32',
    smtpd_recipient_restrictions: `reject_unauth_destination${policyCheck(options)}`,
    virtual_mailbox_domains: options.domain,
    virtual_mailbox_maps: `texthash:${home}/etc/mailboxes`,
    virtual_mailbox_base: `${home}/mail`,
    virtual_uid_maps: 'static:65534',
    virtual_gid_maps: 'static:65534',
    virtual_mailbox_limit: '0',
    message_size_limit: String(options.sizeLimitOctets ?? 10_000_000),
    smtputf8_enable: 'yes',
    smtpd_discard_ehlo_keywords: (options.withhold ?? []).join(' '),
    smtpd_tls_security_level: 'may',
    smtpd_tls_cert_file: options.certificate,
    smtpd_tls_key_file: options.key,
    smtpd_tls_loglevel: '1',
    smtpd_tls_received_header: 'yes',
    smtpd_client_connection_count_limit: '0',
    smtpd_peername_lookup: 'no',
    local_header_rewrite_clients: '',
    alias_maps: '',
    alias_database: '',
    default_transport: 'error:this host relays nothing',
    ...(options.postscreen ? postscreenSettings(home) : {}),
    ...options.settings,
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')
}

function policyCheck({ policyPort }: MtaOptions): string {
  return policyPort === undefined ? '' : `, check_policy_service inet:127.0.0.1:${policyPort}`
}

/** Each of these tests can only be passed in a session that postscreen then cannot hand on (POSTSCREEN_README). */
function postscreenSettings(home: string): Readonly<Record<string, string>> {
  return {
    postscreen_greet_wait: '1s',
    postscreen_greet_banner: '',
    postscreen_access_list: '',
    postscreen_cache_map: `btree:${home}/data/postscreen_cache`,
    postscreen_pipelining_enable: 'yes',
    postscreen_pipelining_action: 'enforce',
    postscreen_non_smtp_command_enable: 'yes',
    postscreen_bare_newline_enable: 'yes',
    postscreen_bare_newline_action: 'enforce',
  }
}

const postscreenServices = `smtpd pass - - n - - smtpd
dnsblog unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy
`

function masterCf({ address, port, postscreen }: ListeningOptions): string {
  const listener = postscreen
    ? `${address}:${port} inet n - n - 1 postscreen\n${postscreenServices}`
    : `${address}:${port} inet n - n - - smtpd\n`
  return `${listener}\
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`
}

/** The directories that `postfix start` would have made. */
async function makeQueue(home: string): Promise<void> {
  await makeDirectory(join(home, 'mail'), 'nobody')
  await makeDirectory(join(home, 'data'), 'postfix')
  const queue = join(home, 'queue')
  await mkdir(queue)
  await mkdir(join(queue, 'pid'))
  const private_ = [
    'active',
    'bounce',
    'corrupt',
    'defer',
    'deferred',
    'flush',
    'hold',
    'incoming',
    'private',
  ]
  for (const name of [...private_, 'saved', 'trace']) await makeDirectory(join(queue, name), 'postfix')
  await makeDirectory(join(queue, 'maildrop'), 'postfix:postdrop', 0o730)
  await makeDirectory(join(queue, 'public'), 'postfix:postdrop', 0o710)
}
