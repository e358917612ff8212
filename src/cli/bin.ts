#!/usr/bin/env node
/*
 * The executable. One rule: whatever Node runs it must be able to parse it, so that an older one is told what it lacks
 * instead of showing a syntax error. No static import, nothing newer than ES2017; everything else is in main.ts.
 */
const NEEDED_MAJOR = 24
// EX_SOFTWARE of sysexits.h; exit-code.ts has the table but is not for old Nodes to read.
const EX_SOFTWARE = 70

const major = Number(process.versions.node.split('.')[0])

if (major >= NEEDED_MAJOR) {
  import('./main.ts').then((module) => module.main(process.argv))
} else {
  process.stderr.write(`mxpress: needs Node.js ${NEEDED_MAJOR} or newer, this is ${process.versions.node}\n`)
  process.exitCode = EX_SOFTWARE
}

export {}
