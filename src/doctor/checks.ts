/** All checks, in the order in which they are told: the host, its names, the way out, the domain, the disk. */
import type { Check } from './check.ts'
import { blockListsCheck } from './checks/block-lists.ts'
import { bouncesCheck } from './checks/bounces.ts'
import { clockCheck } from './checks/clock.ts'
import { dkimCheck } from './checks/dkim.ts'
import { dmarcCheck } from './checks/dmarc.ts'
import { dnssecCheck } from './checks/dnssec.ts'
import { ehloNameCheck } from './checks/ehlo-name.ts'
import { heloSpfCheck } from './checks/helo-spf.ts'
import { logFileCheck } from './checks/log-file.ts'
import { nodeCheck } from './checks/node.ts'
import { port25Check } from './checks/port-25.ts'
import { queueDirectoryCheck } from './checks/queue-directory.ts'
import { resolverCheck } from './checks/resolver.ts'
import { reverseDnsCheck } from './checks/reverse-dns.ts'
import { sourceAddressCheck } from './checks/source-address.ts'
import { spfCheck } from './checks/spf.ts'

/** The list. A new check is a file beside the others and a line here. */
export const checks: readonly Check[] = [
  nodeCheck,
  clockCheck,
  resolverCheck,
  dnssecCheck,
  ehloNameCheck,
  sourceAddressCheck,
  reverseDnsCheck,
  port25Check,
  spfCheck,
  heloSpfCheck,
  dkimCheck,
  dmarcCheck,
  bouncesCheck,
  blockListsCheck,
  queueDirectoryCheck,
  logFileCheck,
]
