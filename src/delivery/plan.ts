/** Where an envelope would go, found out without connecting to anybody. */
import { formatAddress } from '../mail/address.ts'
import type { Envelope, Recipient, RecipientField } from '../mail/envelope.ts'
import { type Exchanger, orderExchangers } from '../route/exchangers.ts'
import type { Router } from '../route/route.ts'
import { classifyExhausted, classifyRoute } from './classify.ts'
import type { Cause, Via } from './outcome.ts'

/** An exchanger with its addresses, in the order in which they would be dialled. */
export interface PlannedExchanger {
  /** Host name, or an address literal. */
  readonly host: string
  readonly port: number
  /** Of its MX record, the lowest first; 0 where there is none. */
  readonly preference: number
  /** The domain has no MX record and is its own exchanger (RFC 5321 §5.1). */
  readonly implicit: boolean
  /** In the order in which they would be dialled. */
  readonly ips: readonly string[]
  /** Why it would not be dialled; `null` when it would. */
  readonly error: string | null
  /** It is a relay; absent otherwise. */
  readonly via?: Via
}

/** One recipient's way. */
export interface PlannedRoute {
  /** The mailbox, its domain in lower-case A-labels. */
  readonly address: string
  /** The first field in which the address stood. */
  readonly field: RecipientField
  readonly domain: string
  /** Best first; equal preferences are shuffled anew for each delivery (RFC 5321 §5.1). */
  readonly exchangers: readonly PlannedExchanger[]
  /** What the recipient's outcome would be without a way; `null` when there is one. */
  readonly failure: {
    readonly outcome: 'deferred' | 'failed'
    readonly status: string
    readonly diagnostic: string
  } | null
}

/** Plans every recipient; each domain is looked up once. @throws `signal.reason` when aborted. */
export async function planEnvelope(
  envelope: Envelope,
  router: Router,
  options: { readonly random: () => number; readonly signal?: AbortSignal },
): Promise<readonly PlannedRoute[]> {
  const byDomain = new Map<string, Promise<DomainPlan>>()
  return Promise.all(
    envelope.recipients.map(async (recipient) => {
      const { domain } = recipient.address
      const known = byDomain.get(domain) ?? planDomain(domain, router, options)
      byDomain.set(domain, known)
      return { ...namesOf(recipient), ...(await known) }
    }),
  )
}

type DomainPlan = Pick<PlannedRoute, 'exchangers' | 'failure'>

/** An exchanger, and why it has no addresses. */
interface Planned {
  readonly exchanger: PlannedExchanger
  readonly cause: Cause | null
}

async function planDomain(
  domain: string,
  router: Router,
  { random, signal }: { readonly random: () => number; readonly signal?: AbortSignal },
): Promise<DomainPlan> {
  const waiting = signal === undefined ? {} : { signal }
  try {
    const { exchangers, fallback } = await router.route(domain, waiting)
    const planned = await Promise.all([
      ...orderExchangers(exchangers, random).map((one) => planExchanger(one, router, waiting)),
      ...(fallback?.exchangers ?? []).map((one) =>
        planExchanger(one, router, { ...waiting, via: 'fallbackRelay' }),
      ),
    ])
    // The fallback is for those who do not answer, not for those who have no address.
    const hasWay = planned.some(({ exchanger: { ips, via } }) => ips.length > 0 && via !== 'fallbackRelay')
    return {
      exchangers: planned.map(({ exchanger }) => exchanger),
      failure: hasWay ? null : failureOf(planned.flatMap(({ cause }) => cause ?? [])),
    }
  } catch (error) {
    signal?.throwIfAborted()
    return { exchangers: [], failure: failureOf([classifyRoute(error as Error)]) }
  }
}

async function planExchanger(
  planned: Exchanger,
  router: Router,
  { via = 'relay', ...waiting }: { readonly via?: Via; readonly signal?: AbortSignal },
): Promise<Planned> {
  const { host, port, preference, implicit, relay } = planned
  const exchanger = { host, port, preference, implicit, ...(relay === undefined ? {} : { via }) }
  try {
    const targets = await router.targets(planned, waiting)
    return { exchanger: { ...exchanger, ips: targets.map(({ ip }) => ip), error: null }, cause: null }
  } catch (error) {
    waiting.signal?.throwIfAborted()
    const cause = classifyRoute(error as Error)
    return { exchanger: { ...exchanger, ips: [], error: (error as Error).message }, cause }
  }
}

function failureOf(causes: Parameters<typeof classifyExhausted>[0]): PlannedRoute['failure'] {
  const { kind, cause } = classifyExhausted(causes)
  return { outcome: kind, status: cause.status, diagnostic: cause.error?.message ?? '' }
}

function namesOf({ address, field }: Recipient): Pick<PlannedRoute, 'address' | 'field' | 'domain'> {
  return { address: formatAddress(address), field, domain: address.domain }
}
