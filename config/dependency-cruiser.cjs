// The floors of the house, ground floor first. A file may import from lower floors and from its own folder;
// folders that share a floor do not know each other.
const floors = [
  ['log', 'config', 'time', 'files'],
  ['mail', 'dns'],
  ['route', 'tls', 'smtp'],
  ['client'],
  ['delivery'],
  ['queue'],
  ['agent', 'submission', 'bulk', 'probe', 'doctor', 'sandbox', 'talk'],
  ['http', 'adapters'],
  ['daemon'],
  ['index'],
  ['cli'],
]

const place = (name) => `^src/${name}(/|\\.ts$)`
const not = (paths) => paths.join('|')

const upward = floors.flatMap((names, floor) =>
  names.map((name) => ({
    name: `only-downward-from-${name}`,
    comment: `${name} stands on floor ${floor}: it may import lower floors and itself only`,
    severity: 'error',
    from: { path: place(name) },
    to: {
      path: '^src/',
      pathNot: not([place(name), ...floors.slice(0, floor).flat().map(place)]),
    },
  })),
)

const reserved = (name, module, allowed) => ({
  name,
  severity: 'error',
  from: { path: '^src/', pathNot: not(allowed) },
  to: { path: `^(node:)?${module}(/|$)` },
})

module.exports = {
  forbidden: [
    ...upward,
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'every-folder-has-a-floor',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: not(floors.flat().map(place)) },
    },
    {
      name: 'no-junk-drawers',
      severity: 'error',
      from: {},
      to: { path: '/(utils?|helpers?|common|types|misc|shared)(/|\\.ts$)', pathNot: 'node_modules' },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'] },
    },
    // Outgoing sockets are opened in client/; the sandbox and submission only listen.
    reserved('sockets-in-client', 'net', ['^src/client/', '^src/sandbox/', '^src/submission/']),
    reserved('tls-in-client', 'tls', ['^src/client/', '^src/sandbox/', '^src/submission/']),
    reserved('dns-in-dns', 'dns', ['^src/dns/']),
    reserved('sql-in-queue', 'sqlite', ['^src/queue/sqlite/']),
  ],
  options: {
    tsPreCompilationDeps: true,
    exclude: { path: '^(dist|test)/' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.cjs'],
      conditionNames: ['import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
}
