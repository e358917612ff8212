/** From a recipient's domain to the hosts that accept its mail (RFC 5321 §5.1, RFC 7505). */

/** A host that accepts mail for a domain. */
export interface Exchanger {
  /** Host name, or an address literal's IP address in brackets where the recipient's domain was one. */
  readonly host: string
  readonly preference: number
  /** The domain has no MX record and stands for itself (RFC 5321 §5.1, "implicit MX"). */
  readonly implicit: boolean
  readonly port: number
}
