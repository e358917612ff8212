/** Layers of options: later ones win key by key. */
import type { AgentOptions } from './options.ts'

/** Options not yet checked. */
export type OptionTree = Readonly<Record<string, unknown>>

/** Merges tables key by key; anything else, lists too, is replaced as a whole. `undefined` is as if not given. */
export function mergeOptions(...layers: readonly AgentOptions[]): AgentOptions {
  return layers.reduce<OptionTree>((merged, layer) => mergeTables(merged, { ...layer }), {})
}

function mergeTables(under: OptionTree, over: OptionTree): OptionTree {
  const merged = new Map(Object.entries(under))
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue
    const below = merged.get(key)
    merged.set(key, isTable(below) && isTable(value) ? mergeTables(below, value) : value)
  }
  // fromEntries defines keys, so that one named `__proto__` is no more than a key.
  return Object.fromEntries(merged)
}

function isTable(value: unknown): value is OptionTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
