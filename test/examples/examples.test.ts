import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import * as nodemailerModule from '../../src/adapters/nodemailer.ts'
import * as mxpress from '../../src/index.ts'
import * as sandboxModule from '../../src/sandbox/sandbox.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { type Example, examplesOfReadme, examplesOfSource, findExamples } from './find-examples.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const examples = await findExamples(root)
const sandbox = await startSandbox({ removeMail: true })
const directory = await mkdtemp(join(tmpdir(), 'mxpress-examples-'))
afterAll(async () => {
  await sandbox.close()
  await rm(directory, { recursive: true })
})

/** The example as a module of its own: a docstring need not repeat the imports that its place implies. */
function moduleOf({ code, place, neighbours }: Example): string {
  const isUsed = (name: string) => new RegExp(`\\b${name}\\b`).test(code)
  const source = join(root, place.replace(/:\d+$/, ''))
  const modules: readonly (readonly [string, readonly string[]])[] = [
    ['mxpress', Object.keys(mxpress)],
    ['mxpress/nodemailer', Object.keys(nodemailerModule)],
    ['mxpress/sandbox', Object.keys(sandboxModule)],
    [source, neighbours],
  ]
  const imported = new Set<string>()
  const imports = modules.map(([specifier, names]) => {
    const wanted = names.filter((name) => isUsed(name) && !imported.has(name))
    for (const name of wanted) imported.add(name)
    return wanted.length === 0 ? '' : `import { ${wanted.join(', ')} } from '${specifier}'\n`
  })
  return `${code.includes('import ') ? '' : imports.join('')}${code}\nexport {}\n`
}

/** The front doors that lead into the simulated internet here; what else there is might do real things. */
const isHarmless = ({ code }: Example): boolean =>
  /\b(createAgent|createTransport|examineHost|probe|startSandbox)\(/.test(code)

test('every front door shows an example', () => {
  const places = examples.map(({ place }) => place.replace(/:\d+$/, ''))
  expect(places).toContain('README.md')
  expect(places).toContain('src/agent.ts')
  expect(places).toContain('src/adapters/nodemailer.ts')
  expect(places).toContain('src/sandbox/sandbox.ts')
})

test('all examples are right by their types, as strictly as the source', async () => {
  const folder = join(directory, 'types')
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  // Without a mistake that it must find, a compiler that looked at nothing would be content too.
  await writeFile(
    join(folder, 'example-wrong.ts'),
    "import { createAgent } from 'mxpress'\ncreateAgent({ hostname: 25 })\n",
  )
  for (const [at, example] of examples.entries()) {
    await writeFile(join(folder, `example-${at}.ts`), `// ${example.place}\n${moduleOf(example)}`)
  }
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: true,
      declaration: false,
      sourceMap: false,
      rootDir: '/',
      noUnusedLocals: false,
      rewriteRelativeImportExtensions: false,
      typeRoots: [join(root, 'node_modules/@types')],
      paths: {
        mxpress: [join(root, 'src/index.ts')],
        'mxpress/nodemailer': [join(root, 'src/adapters/nodemailer.ts')],
        'mxpress/sandbox': [join(root, 'src/sandbox/sandbox.ts')],
        nodemailer: [join(root, 'node_modules/nodemailer/dist/esm/nodemailer.d.ts')],
        express: [join(root, 'node_modules/@types/express')],
      },
    },
    include: [join(folder, '*.ts')],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/.bin/tsc')
  const output = await run(tsc, ['-p', folder, '--pretty', 'false']).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )
  // Another file's mistakes are not the examples'.
  const mistakes = output.split('\n').filter((line) => line.includes('example-'))
  expect(mistakes).toEqual([expect.stringMatching(/example-wrong\.ts\(2,15\): error TS2322/)])
})

describe('runs as it is printed, in the sandbox:', () => {
  test.each(
    examples
      .filter((example) => example.canRun && isHarmless(example))
      .map((example) => [example.place, example] as const),
  )('%s', async (place, example) => {
    const folder = await mkdtemp(join(directory, 'run-'))
    const file = join(folder, 'example.ts')
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await writeFile(file, moduleOf(example))
    const before = (await sandbox.received()).length
    const preload = new URL('import-stand-in.ts', import.meta.url).href
    const { stdout, stderr } = await run(process.execPath, ['--import', preload, file], {
      cwd: folder,
      env: {
        ...process.env,
        MXPRESS_EXAMPLE_DNS: sandbox.dns,
        MXPRESS_EXAMPLE_PORT: `${sandbox.port}`,
        NODE_OPTIONS: '',
      },
      timeout: 50_000,
    })
    expect(
      stderr
        .split('\n')
        .filter((line) => !/Warning|--trace-warnings/.test(line))
        .join(''),
    ).toBe('')
    expect(`${place}: ${stdout}`).not.toMatch(/deferred|failed/)
    // A sandbox of its own takes its mail; what is queued stays there when the example ends.
    const isElsewhere = /startSandbox|queue: true/.test(example.code)
    const isSent = /\.(send|sendMail|deliver)\(/.test(example.code) && !isElsewhere
    // Queued mail may be on its way before the agent closes, or wait.
    if (!/\.enqueue\(/.test(example.code)) expect((await sandbox.received()).length > before).toBe(isSent)
  })
})

describe('the finder', () => {
  test('takes the TypeScript blocks of a page, and knows which only to check', () => {
    const page = [
      '# Title',
      '```sh',
      'npm ci',
      '```',
      '```ts',
      'first()',
      '```',
      '<!-- example: types only -->',
      '```ts',
      'second()',
      'third()',
      '```',
    ]
    expect(examplesOfReadme('README.md', page.join('\n'))).toEqual([
      { place: 'README.md:5', code: 'first()\n', canRun: true, neighbours: [] },
      { place: 'README.md:9', code: 'second()\nthird()\n', canRun: false, neighbours: [] },
    ])
  })

  test('takes what follows a tag in a docstring, fenced or not, on one line or several', () => {
    const source = [
      '/**',
      ' * Does it.',
      ' * @example',
      ' * ```ts',
      ' * first()',
      ' *   .second()',
      ' * ```',
      ' * @throws never',
      ' */',
      'export function one() {}',
      '/** @example third() */',
      "// '@example.org'",
    ]
    expect(examplesOfSource('a.ts', source.join('\n'))).toEqual([
      { place: 'a.ts:3', code: 'first()\n  .second()\n', canRun: true, neighbours: ['one'] },
      { place: 'a.ts:11', code: 'third()\n', canRun: true, neighbours: ['one'] },
    ])
  })

  test('finds no more in the source than tags are there', async () => {
    const agent = await readFile(join(root, 'src/agent.ts'), 'utf8')
    expect(examplesOfSource('src/agent.ts', agent)).toHaveLength(agent.match(/^ \* @example$/gm)?.length ?? 0)
  })
})
