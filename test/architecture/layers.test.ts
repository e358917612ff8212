/** The architecture's own rules, broken one by one in a copy: a rule that cannot go red protects nothing. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Files put into the copy, by path below `src`, and the rules that each must break. */
const planted: Readonly<Record<string, { readonly code: string; readonly breaks: readonly string[] }>> = {
  'route/upward.ts': {
    code: "export { nextTurn } from '../client/turn.ts'",
    breaks: ['only-downward-from-route'],
  },
  'smtp/sideways.ts': {
    code: "export { orderExchangers } from '../route/exchangers.ts'",
    breaks: ['only-downward-from-smtp'],
  },
  'log/upward-in-types-only.ts': {
    code: "import type { Reply } from '../smtp/reply.ts'\nexport type Copy = Reply",
    breaks: ['only-downward-from-log'],
  },
  'delivery/upward.ts': {
    code: "export { createAgent } from '../agent.ts'",
    breaks: ['only-downward-from-delivery'],
  },
  'mail/circle-one.ts': {
    code: "import { two } from './circle-two.ts'\nexport const one = () => two",
    breaks: ['no-circles'],
  },
  'mail/circle-two.ts': {
    code: "import { one } from './circle-one.ts'\nexport const two = () => one",
    // A circle is told once, of the file that comes first.
    breaks: [],
  },
  'delivery/dials.ts': {
    code: "import { connect } from 'node:net'\nexport const dial = connect",
    breaks: ['sockets-in-client'],
  },
  'route/dials.ts': {
    code: "import net from 'net'\nexport const dial = net.connect",
    breaks: ['sockets-in-client'],
  },
  'delivery/secures.ts': {
    code: "import tls from 'node:tls'\nexport const secure = tls.connect",
    breaks: ['tls-in-client'],
  },
  'route/asks.ts': {
    code: "import { resolveMx } from 'node:dns/promises'\nexport const ask = resolveMx",
    breaks: ['dns-in-dns'],
  },
  'delivery/stores.ts': {
    code: "import { DatabaseSync } from 'node:sqlite'\nexport const open = () => new DatabaseSync(':memory:')",
    breaks: ['sql-in-queue'],
  },
  'mail/uses-a-drawer.ts': { code: "export * from './utils.ts'", breaks: ['no-junk-drawers'] },
  'mail/uses-a-folder-of-drawers.ts': {
    code: "export * from './helpers/text.ts'",
    breaks: ['no-junk-drawers'],
  },
  'mail/utils.ts': { code: 'export const text = 1', breaks: [] },
  'mail/helpers/text.ts': { code: 'export const more = 1', breaks: [] },
  'cli/uses-a-new-folder.ts': {
    code: "export * from '../newcomers/one.ts'",
    breaks: ['every-folder-has-a-floor', 'only-downward-from-cli'],
  },
  'newcomers/one.ts': { code: 'export const one = 1', breaks: [] },
  'mail/tests-itself.ts': {
    code: "import fc from 'fast-check'\nexport const check = fc.assert",
    breaks: ['no-dev-dependencies'],
  },
  'mail/lost.ts': { code: "export * from './nowhere.ts'", breaks: ['no-unresolved'] },
  // What keeps the rules must not be told off.
  'delivery/downward.ts': {
    code: "export { nextTurn } from '../client/turn.ts'\nexport { parseAddress } from '../mail/address.ts'",
    breaks: [],
  },
  'client/dials.ts': { code: "import { connect } from 'node:net'\nexport const dial = connect", breaks: [] },
}

/** Rules broken, by file. */
const broken = new Map<string, Set<string>>()
let copy: string

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'mxpress-architecture-'))
  for (const name of ['src', 'config', 'package.json', 'tsconfig.json']) {
    await cp(join(root, name), join(copy, name), { recursive: true })
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const [name, { code }] of Object.entries(planted)) {
    await mkdir(dirname(join(copy, 'src', name)), { recursive: true })
    await writeFile(join(copy, 'src', name), `${code}\n`)
  }
  const depcruise = join(root, 'node_modules/.bin/depcruise')
  const rules = ['--config', 'config/dependency-cruiser.cjs', '--output-type', 'json', 'src']
  const { stdout } = await promisify(execFile)(depcruise, rules, { cwd: copy, maxBuffer: 2 ** 28 })
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: readonly { from: string; rule: { name: string } }[] }
  }
  for (const { from, rule } of summary.violations) {
    const name = from.replace(/^src\//, '')
    broken.set(name, (broken.get(name) ?? new Set()).add(rule.name))
  }
})

afterAll(() => rm(copy, { recursive: true }))

test.each(Object.entries(planted))('%s', (name, { breaks }) => {
  expect([...(broken.get(name) ?? [])].toSorted()).toEqual([...breaks].toSorted())
})

test('every rule about the floors and the seams was broken once', async () => {
  const { default: rules } = (await import('../../config/dependency-cruiser.cjs' as string)) as {
    default: { forbidden: readonly { name: string }[] }
  }
  const all = rules.forbidden.map(({ name }) => name).filter((name) => !name.startsWith('only-downward'))
  const seen = new Set(Object.values(planted).flatMap(({ breaks }) => breaks))
  expect(all.filter((name) => !seen.has(name))).toEqual([])
})
