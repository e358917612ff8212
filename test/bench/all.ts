/**
 * `npm run bench`: first sending (bench.ts), then the queue and submission (queue/bench.ts) and signing (dkim/bench.ts),
 * beside others each; last the memory of a probe (probe/bench.ts).
 *
 *   npm run bench                     all of it: half an hour
 *   npm run bench -- --only '2 KB'    sending only, with the options of bench.ts
 *   npm run bench -- queue --rounds 1 the queue only, with the options of queue/bench.ts
 *   npm run bench -- dkim             signing only, with the options of dkim/bench.ts
 *   npm run bench -- probe 10000      the memory of a probe of so many targets only
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Guard against a hang: twice what a slow machine needs. */
const LIMIT_MS = 60 * 60_000

const [first, ...rest] = process.argv.slice(2)
if (first === 'queue' || first === 'dkim' || first === 'probe') await run(`${first}/bench.ts`, rest)
else {
  await run('bench.ts', process.argv.slice(2))
  for (const part of first === undefined ? ['queue', 'dkim', 'probe'] : []) await run(`${part}/bench.ts`, [])
}

/** Runs one of them to its end; what follows is spared when it fails. */
async function run(file: string, options: readonly string[]): Promise<void> {
  const script = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, [script, ...options], { stdio: 'inherit', timeout: LIMIT_MS })
  const [code] = await once(child, 'close')
  if (code !== 0) process.exit(code ?? 1)
}
