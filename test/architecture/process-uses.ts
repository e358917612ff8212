/** Where a source file takes what belongs to the whole process: its environment, or its end. */
import { parseSync } from '@swc/core'

/** What only some folders may use. */
export type ProcessUse = 'process.exit' | 'process.env'

const reserved: Readonly<Record<string, ProcessUse>> = {
  exit: 'process.exit',
  reallyExit: 'process.exit',
  env: 'process.env',
}

/** The uses in a TypeScript file, however they are written; each once. */
export function processUses(source: string): ReadonlySet<ProcessUse> {
  const module: Node = { ...parseSync(source, { syntax: 'typescript', target: 'es2024' }) }
  const nodes = [...nodesIn(module)]
  const aliases = new Set(['process', ...nodes.flatMap(aliasesMade)])
  return new Set(nodes.flatMap((node) => namesTaken(node, aliases)).flatMap((name) => reserved[name] ?? []))
}

type Node = Readonly<Record<string, unknown>>

/** Other names of `process`: `import system from 'node:process'`, `import * as system from …`. */
function aliasesMade(node: Node): readonly string[] {
  if (!isProcessModule(node)) return []
  return list(node.specifiers).flatMap(({ type, local }) =>
    type === 'ImportSpecifier' ? [] : [nameOf(local)],
  )
}

/** Names that a node takes from it: `process.exit`, `process['exit']`, `const { exit } = process`, imports. */
function namesTaken(node: Node, aliases: ReadonlySet<string>): readonly string[] {
  if (node.type === 'MemberExpression' && isProcess(node.object, aliases)) return [nameOf(node.property)]
  if (node.type === 'VariableDeclarator' && isProcess(node.init, aliases)) return keysOf(node.id)
  if (isProcessModule(node)) {
    return list(node.specifiers).map(({ imported, local }) => nameOf(imported ?? local))
  }
  return []
}

function isProcess(value: unknown, aliases: ReadonlySet<string>): boolean {
  if (!isNode(value)) return false
  if (value.type === 'Identifier') return aliases.has(nameOf(value))
  return value.type === 'MemberExpression' && nameOf(value.property) === 'process'
}

function isProcessModule({ type, source }: Node): boolean {
  return type === 'ImportDeclaration' && isNode(source) && /^(node:)?process$/.test(String(source.value))
}

function keysOf(pattern: unknown): readonly string[] {
  return isNode(pattern) ? list(pattern.properties).map(({ key }) => nameOf(key)) : []
}

/** Of an identifier, a string, or `['string']`. */
function nameOf(value: unknown): string {
  if (!isNode(value)) return ''
  return value.type === 'Computed' ? nameOf(value.expression) : String(value.value)
}

function list(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null
}

function* nodesIn(value: unknown): Generator<Node> {
  if (!isNode(value)) return
  if (typeof value.type === 'string') yield value
  for (const child of Object.values(value)) yield* nodesIn(child)
}
