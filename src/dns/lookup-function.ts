/** The seam as libraries want it that do their own asking: one function for all types, failures as Node's codes. */
import { DnsError, type RecordResolver } from './resolver.ts'

/** As `dns.promises.resolve`; of MX records only what is typed as text is promised. */
export type LookupFunction = (name: string, type: string) => Promise<string[][] | string[]>

/** @param signal ends every lookup */
export function lookupFunctionOf(resolver: RecordResolver, signal?: AbortSignal): LookupFunction {
  const options = signal === undefined ? {} : { signal }
  return async (name, type) => {
    try {
      return (await ask(resolver, { name, type, options })) as string[][] | string[]
    } catch (error) {
      if (!(error instanceof DnsError)) throw error
      throw Object.assign(new Error(error.message, { cause: error }), { code: error.reason })
    }
  }
}

interface Question {
  readonly name: string
  readonly type: string
  readonly options: { readonly signal?: AbortSignal }
}

async function ask(resolver: RecordResolver, { name, type, options }: Question): Promise<readonly unknown[]> {
  switch (type) {
    case 'A':
      return resolver.resolve4(name, options)
    case 'AAAA':
      return resolver.resolve6(name, options)
    case 'MX': {
      const records = await resolver.resolveMx(name, options)
      return records.map(({ host, preference }) => ({ exchange: host, priority: preference }))
    }
    case 'TXT':
      return resolver.resolveTxt(name, options)
    case 'PTR':
      return resolver.resolvePtr(name, options)
    case 'CNAME':
      return resolver.resolveCname(name, options)
    default:
      throw new DnsError('no-records', 'ENODATA', `${type} ${name} is not looked up here`)
  }
}
