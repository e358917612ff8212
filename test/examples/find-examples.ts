/**
 * Finds the examples that the documentation shows: what follows `@example` in a docstring, and the TypeScript blocks of
 * README.md. One rule: an example is found by where it stands, so none can be forgotten.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One example as its reader copies it. */
export interface Example {
  /** `README.md:78`, `src/agent.ts:95`. */
  readonly place: string
  readonly code: string
  /** README says `<!-- example: types only -->` before blocks that cannot run in a test. */
  readonly canRun: boolean
  /** What the file of a docstring exports: its readers have that before them. */
  readonly neighbours: readonly string[]
}

/** All examples below the root of the checkout. */
export async function findExamples(root: string): Promise<readonly Example[]> {
  const sources = (await readdir(join(root, 'src'), { recursive: true })).filter((name) =>
    name.endsWith('.ts'),
  )
  const documented = await Promise.all(
    sources.toSorted().map(async (name) => {
      const file = join('src', name)
      return examplesOfSource(file, await readFile(join(root, file), 'utf8'))
    }),
  )
  return [
    ...examplesOfReadme('README.md', await readFile(join(root, 'README.md'), 'utf8')),
    ...documented.flat(),
  ]
}

/** The fenced blocks marked `ts` or `typescript`. */
export function examplesOfReadme(file: string, text: string): readonly Example[] {
  const blocks = text.matchAll(/^(<!-- example: types only -->\n+)?```(?:ts|typescript)\n(.*?)^```$/gms)
  return [...blocks].map(({ 0: block, 1: mark, 2: code = '', index }) => ({
    place: `${file}:${lineAt(text, index + block.indexOf('```'))}`,
    code,
    canRun: mark === undefined,
    neighbours: [],
  }))
}

/** What follows each `@example` up to the next tag or the end of the comment. */
export function examplesOfSource(file: string, text: string): readonly Example[] {
  const exported = text.matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm)
  const neighbours = [...exported].flatMap(([, name]) => name ?? [])
  const comments = text.matchAll(/^[ \t]*\/\*\*.*?\*\//gms)
  return [...comments].flatMap(({ 0: comment, index }) =>
    [...comment.matchAll(/^[ \t/*]*@example[ \t]*(.*?)(?=^[ \t]*\* @|\*\/)/gms)].map((found) => ({
      place: `${file}:${lineAt(text, index + found.index)}`,
      code: plain(found[1] ?? ''),
      canRun: true,
      neighbours,
    })),
  )
}

/** Without the comment's asterisks and the fence. */
function plain(body: string): string {
  const lines = body.split('\n').map((line) => line.replace(/^[ \t]*\* ?/, ''))
  return `${lines
    .filter((line) => !/^```(?:ts|typescript)?$/.test(line.trim()))
    .join('\n')
    .trim()}\n`
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
