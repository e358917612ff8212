/** A real mail server under test: what every one of them offers to a test, whichever program it is. */

/** An extension that a server can be told not to offer. */
export type Withholdable = 'PIPELINING' | 'CHUNKING' | '8BITMIME' | 'SMTPUTF8' | 'DSN'

/** How a server is to be started. */
export interface MtaOptions {
  /** IPv4 loopback address to listen on, such as `127.81.0.1`; the port is a free one. */
  readonly address: string
  /** Domain whose mail the server takes; ASCII. */
  readonly domain: string
  /** Mailboxes of the domain; every other local part is refused with 550 5.1.1. */
  readonly mailboxes: readonly string[]
  /** Largest message taken, in octets, as announced by SIZE (RFC 1870). Default 10,000,000. */
  readonly sizeLimitOctets?: number
  /** Extensions that the server has and is not to offer; OpenSMTPD can withhold none, DSN only Postfix. */
  readonly withhold?: readonly Withholdable[]
  /** Port at 127.0.0.1 of a server that Postfix asks about each recipient (its access policy delegation). Default: none. */
  readonly policyPort?: number
  /** Put Postfix's postscreen before its smtpd, all tests of the protocol on: it defers each client once. */
  readonly postscreen?: true
}

/** A running server with a spool and mailboxes of its own; whoever started it must close it. */
export interface Mta {
  readonly name: string
  readonly ip: string
  readonly port: number
  readonly domain: string
  readonly version: string
  /** PEM file of the server's self-signed certificate; it names `mx.` + domain and `ip`. */
  readonly certificateFile: string
  /** The messages in a mailbox, oldest first, octet for octet as the server stored them. */
  mailbox(user: string): Promise<readonly Buffer[]>
  /**
   * The messages of a mailbox as soon as there are `count` of them.
   * @throws {Error} after `timeoutMs` (default 30,000), with the server's log.
   */
  waitForMail(user: string, count: number, timeoutMs?: number): Promise<readonly Buffer[]>
  /** Everything the server has logged so far. */
  log(): string
  /** Resolves when the log matches. @throws {Error} after `timeoutMs` (default 30,000), with the log. */
  waitForLog(pattern: RegExp, timeoutMs?: number): Promise<void>
  /** Ends the server's processes and removes its directory. */
  close(): Promise<void>
}
