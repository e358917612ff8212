#!/usr/bin/env node
/*
 * The executable `mxpress-sendmail`, for /usr/sbin/sendmail to point at: `mxpress sendmail` under a name of its own. As
 * in bin.ts, whatever Node runs it must be able to parse it.
 */
const NEEDED_MAJOR = 24
// EX_SOFTWARE of sysexits.h.
const EX_SOFTWARE = 70

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  const [node = '', file = '', ...rest] = process.argv
  import('./main.ts').then((module) => module.main([node, file, 'sendmail', ...rest]))
} else {
  process.stderr.write(
    `mxpress-sendmail: needs Node.js ${NEEDED_MAJOR} or newer, this is ${process.versions.node}\n`,
  )
  process.exitCode = EX_SOFTWARE
}

export {}
