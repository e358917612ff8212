/**
 * The options of the library, which are the keys of `mxpress.toml`: what each means, its unit, its default and why.
 * One rule: an option exists in one place for people (here) and in one for the program (`schema.ts`).
 */
import type { Duration } from './duration.ts'
import type { Size } from './size.ts'

/** Everything an agent can be told; all of it has a default. */
export interface AgentOptions {
  /**
   * Name given in EHLO: a fully qualified domain name that leads to this host, or an address literal such as
   * `[192.0.2.1]` (RFC 5321 §4.1.4). Default: the system's FQDN; an error where the system has none.
   */
  readonly hostname?: string
  /** IP addresses to connect from: one per family, or several to take in turn. Default `[]`: the system chooses. */
  readonly sourceAddresses?: readonly string[]
  /**
   * Names given in EHLO instead of `hostname`, by the address that a session comes from: receivers compare it with the
   * address's PTR record. As this host knows the address: behind a translating router the inner one. Default: none.
   */
  readonly sourceHostnames?: Readonly<Record<string, string>>
  readonly dns?: DnsOptions
  readonly smtp?: SmtpOptions
  readonly timeouts?: TimeoutOptions
  readonly delivery?: DeliveryOptions
  readonly tls?: TlsOptions
  /**
   * Where mail for a domain goes instead of to its exchangers: `host`, `host:port`, `192.0.2.1:port`,
   * `[2001:db8::1]:port`, or a relay of its own with login. No MX lookup, and the address may be local. `*.example.org`
   * stands for all names below example.org, `*` for all domains; the longest that fits counts. `direct` is the way to
   * its exchangers, for what `relay` shall not have. Default: none.
   */
  readonly routes?: Readonly<Record<string, string | RelayOptions>>
  /** Signs mail whose From field is of the domain, or of one below it that has no entry of its own. Default: none. */
  readonly dkim?: Readonly<Record<string, DkimOptions>>
  /** The host that all mail, or that for `domains`, is handed to instead of to the exchangers. Default: none. */
  readonly relay?: RelayOptions & {
    /** Whose mail: domains, `*.example.org`, `*`. `routes` for the same ones win. Default `["*"]`. */
    readonly domains?: readonly string[]
  }
  /** A relay for mail whose exchangers all refuse the connection or do not answer, or whose `relay` does. Default: none. */
  readonly fallbackRelay?: RelayOptions
  readonly log?: LogOptions
  /** The durable queue. Nothing of it is touched before `agent.enqueue`, `agent.results`, `startDaemon` or `mxpress queue`. */
  readonly queue?: QueueOptions
  /** How programs hand in mail over SMTP; `startDaemon` and `mxpress serve` alone listen. */
  readonly submission?: SubmissionOptions
  /** What `mxpress doctor` and `examineHost` ask; nothing else looks at it. */
  readonly doctor?: DoctorOptions
  /** How `mxpress probe` and `probe` ask unless they are told otherwise; nothing else looks at it. */
  readonly probe?: ProbingOptions
}

/** Who is asked about domains. */
export interface DnsOptions {
  /** Name servers: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`. Default `[]`: the system's. */
  readonly servers?: readonly string[]
  /** Limit of one lookup, its retries included. Default 5 s, the `timeout` of resolv.conf(5) for one try. */
  readonly timeout?: Duration
}

/** Whom we connect to. */
export interface SmtpOptions {
  /** Port of the exchangers. Default 25 (RFC 5321 §4.5.4.2). */
  readonly port?: number
  /**
   * Connect to loopback, private, link-local and other special-purpose addresses that DNS or an address literal named.
   * Risky: whoever owns a domain can then reach services of this host and network. Default false.
   */
  readonly allowLocalAddresses?: boolean
}

/** The longest each step may take. Each limit is absolute for its step: a peer that drips octets is cut off on time. */
export interface TimeoutOptions {
  /** TCP connect, one address. Default 30 s, as in Postfix (`smtp_connect_timeout`). */
  readonly connect?: Duration
  /** From the connection to the whole greeting. Default 5 m (RFC 5321 §4.5.3.2.1). */
  readonly greeting?: Duration
  /** EHLO or HELO, and each step of AUTH. Default 5 m; RFC 5321 names none, so as for MAIL. */
  readonly ehlo?: Duration
  /** STARTTLS, and again the handshake. Default 1 m; there is a way on without it. */
  readonly starttls?: Duration
  /** MAIL. Default 5 m (RFC 5321 §4.5.3.2.2). */
  readonly mail?: Duration
  /** RCPT. Default 5 m (RFC 5321 §4.5.3.2.3). */
  readonly rcpt?: Duration
  /** DATA until its 354. Default 2 m (RFC 5321 §4.5.3.2.4). */
  readonly dataInitiation?: Duration
  /** Writing one block of content. Default 3 m (RFC 5321 §4.5.3.2.5). */
  readonly dataBlock?: Duration
  /** The final dot, or the last BDAT, until its reply. Default 10 m (RFC 5321 §4.5.3.2.6). */
  readonly dataTermination?: Duration
  /** QUIT. Default 5 s: nothing depends on its reply (RFC 5321 §4.1.1.10). */
  readonly quit?: Duration
}

/** How much at once, and how long one tries. A site is a set of exchangers, whatever the number of their domains. */
export interface DeliveryOptions {
  /** Transactions open at once, all sites together; from 1. Default 50, half of what Postfix runs (`default_process_limit`). */
  readonly concurrency?: number
  /** Sessions open at once to one site; from 1. Default 5, as in Postfix (`initial_destination_concurrency`). */
  readonly perSite?: number
  /**
   * Addresses dialled for one recipient in one attempt; from 1. Default 20. RFC 5321 §5.1 wants every address tried
   * and at least two; a domain that lists hundreds shall not cost hours.
   */
  readonly maxTargets?: number
  /** Transactions in one session before it is closed; from 1. Default 100: receivers have limits of their own. */
  readonly messagesPerSession?: number
  /**
   * Recipients of a message at one site that share one transaction; from 1. Default 1, so that a server's word on the
   * content is one on each recipient. A relay has its own, see there.
   */
  readonly recipientsPerTransaction?: number
}

/** A host that takes mail for any domain and sends it on, often called smarthost; and how to log in there. */
export interface RelayOptions {
  /** Name or IP address, without a port; the address may be local. */
  readonly host?: string
  /** Default 587 (RFC 6409 §3.1). */
  readonly port?: number
  /** TLS from the first octet on instead of by STARTTLS. Default: for port 465 (RFC 8314 §3.3). */
  readonly implicitTls?: boolean
  /** As `tls.mode`, for this relay: `caFile` and `minVersion` are those of `tls`. Default `verified`. */
  readonly tls?: 'off' | 'opportunistic' | 'required' | 'verified'
  /** Who logs in. Default: nobody. Needs one of the four that follow. */
  readonly user?: string
  /** File whose only line is the password; read at each login. */
  readonly passwordFile?: string
  /** Name of an environment variable that holds the password. */
  readonly passwordEnv?: string
  /** Name of a systemd credential, as in `LoadCredential=relay:/etc/mxpress/relay.secret`. */
  readonly passwordCredential?: string
  /** For programs only: gives the password, or a fresh OAuth 2.0 access token, at each login. */
  readonly password?: () => string | Promise<string>
  /**
   * How to log in: the strongest of these that the relay offers. Default `["SCRAM-SHA-256", "CRAM-MD5", "PLAIN",
   * "LOGIN"]`. `["XOAUTH2"]`: the password is an OAuth 2.0 access token.
   */
  readonly mechanisms?: readonly ('SCRAM-SHA-256' | 'CRAM-MD5' | 'PLAIN' | 'LOGIN' | 'XOAUTH2')[]
  /**
   * Send the password itself over a connection without TLS, where the relay asks for that. Risky: whoever listens on the
   * way has it. Default false: only mechanisms that do not send it (SCRAM-SHA-256, CRAM-MD5) are used there.
   */
  readonly allowPlaintextAuth?: boolean
  /** Recipients of a message that share one transaction; from 1. Default 50. */
  readonly recipientsPerTransaction?: number
}

/** How safely a message must travel. */
export interface TlsOptions {
  /**
   * `off`: clear text only. `opportunistic`: the best that is to be had, clear text at last. `required`: encrypted or
   * deferred. `verified`: encrypted with a certificate that chains to a trusted CA and names the exchanger, or
   * deferred. Default `opportunistic` (RFC 7435).
   */
  readonly mode?: 'off' | 'opportunistic' | 'required' | 'verified'
  /** Default `TLSv1.2` (RFC 8996 forbids what is older). */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** PEM file with CAs to trust besides those of Node. Default: none. */
  readonly caFile?: string
}

/** One key: its name in DNS and where it lies. */
export interface DkimKeyOptions {
  /** The record is `SELECTOR._domainkey.DOMAIN`. */
  readonly selector: string
  /** PEM file with the private key, RSA from 1,024 bits (RFC 8301 §3.2) or Ed25519, without a passphrase. */
  readonly keyFile: string
}

/** How mail of one domain is signed (RFC 6376). At least one key is needed. */
export interface DkimOptions extends Partial<DkimKeyOptions> {
  /**
   * Further keys: each makes a signature of its own, so that receivers who know only RSA and those who want Ed25519 both
   * find one (RFC 8463 §3). Default `[]`.
   */
  readonly keys?: readonly DkimKeyOptions[]
  /**
   * Fields to sign instead of the usual ones; From always is. Those that decide what a reader sees are signed once more
   * often than they occur, so that none can be added (RFC 6376 §5.4.2). Default: `../mail/dkim/fields.ts` lists them.
   */
  readonly headers?: readonly string[]
  /**
   * From the signing, which is when mail is accepted, until receivers are to disbelieve the signature. No shorter than
   * `queue.expire`, or mail that waited arrives with a signature that has run out. Default: never.
   */
  readonly expire?: Duration
  /** Sign also what carries a valid signature of the domain already. Default false. */
  readonly resign?: boolean
}

/** Where to and how events are logged. */
export interface LogOptions {
  /** File to append to, relative to the working directory. Default: none, so no log. */
  readonly file?: string
  /** `classic`: for people and grep. `json`: NDJSON. Default `classic`. */
  readonly format?: 'classic' | 'json'
}

/** Where mail waits, and how long. */
export interface QueueOptions {
  /** Directory on a local disk, relative to the working directory; made if missing. Default `queue`. */
  readonly dir?: string
  /** From a first attempt that was deferred to the second. Default 5 m: greylists ask for 1 to 5. */
  readonly retryFirst?: Duration
  /**
   * The intervals grow up to this. At least `retryFirst`. Default 4 h; RFC 5321 §4.5.4.1 wants half an hour on average
   * at least, and suggests two to three.
   */
  readonly retryMax?: Duration
  /** After this the mail goes back to its sender. Default 5 d (RFC 5321 §4.5.4.1: at least 4 to 5 days). */
  readonly expire?: Duration
  /** After this the sender hears once that the mail is late. Default 4 h; 0 s: never. */
  readonly delayWarning?: Duration
  /**
   * What to do with a message that may have arrived although nobody said so: `retry` may deliver it twice, `hold` waits
   * for `mxpress queue release` or `cancel`. Default `retry` (RFC 5321 §6.1: losing mail is worse).
   */
  readonly onUncertain?: 'retry' | 'hold'
}

/** Whom mail is taken from. Addresses that are not loopback need certificate and users: never an open relay. */
export interface SubmissionOptions {
  /** `127.0.0.1:2525`, `[::1]:2525`; port 0: a free one. Default `["127.0.0.1:2525"]`; `[]`: nowhere. */
  readonly listen?: readonly string[]
  /** Largest message. Default 50 MB. */
  readonly maxSize?: Size
  /** Recipients in one transaction; from 100 (RFC 5321 §4.5.3.1.8). Default 1,000. */
  readonly maxRecipients?: number
  /** Clients at once, all addresses together; from 1. Default 200. */
  readonly maxConnections?: number
  /** PEM file with the certificate for STARTTLS, and those of the CAs that lead to it. Default: none. */
  readonly certFile?: string
  /** PEM file with the certificate's private key. Default: none. */
  readonly keyFile?: string
  /** Who may log in, as `mxpress user add` writes it. Default: nobody. */
  readonly usersFile?: string
}

/** Whom the examination of a host asks. */
export interface DoctorOptions {
  /** Domain that mail is sent from. Default: the one that `dkim` names, if it is one, else the registered domain that `hostname` lies in. */
  readonly domain?: string
  /**
   * Domains whose exchangers are dialled to find out whether port 25 is open. Default: gmail.com, outlook.com, yahoo.com,
   * icloud.com, comcast.net; unrelated to each other, always up, and some with IPv6.
   */
  readonly receivers?: readonly string[]
  /** Block lists of addresses (RFC 5782). Default: zen.spamhaus.org, bl.spamcop.net, b.barracudacentral.org, psbl.surriel.com. */
  readonly addressLists?: readonly string[]
  /** Block lists of domains. Default: dbl.spamhaus.org. */
  readonly domainLists?: readonly string[]
}

/** How recipients' servers are asked. */
export interface ProbingOptions {
  /** Reverse-path of MAIL. Default `<>`, to which no report can go (RFC 5321 §4.5.5). */
  readonly from?: string
  /** Longest that each step may take. Default 30 s: who is slower has a fault worth knowing; RFC 5321 would wait 5 minutes. */
  readonly timeout?: Duration
  /** Sessions open at once, all sites together; from 1. Default 50. */
  readonly concurrency?: number
  /** Sessions open at once to one set of exchangers; from 1. Default 2: a probe is a guest. */
  readonly perSite?: number
  /**
   * Mailboxes asked about in one session with the same address, a transaction for each, with VRFY half as many; from 1.
   * Default 10: Exim hangs up at the eleventh of RSET, VRFY and the like (smtp_accept_max_nonmail). 1: a session each.
   */
  readonly perSession?: number
}
