/** Preloaded with `--import`: the package's own names lead to the source, so that examples run as they are printed. */
import { registerHooks } from 'node:module'

const modules: Readonly<Record<string, string>> = {
  mxpress: new URL('stand-in.ts', import.meta.url).href,
  'mxpress/nodemailer': new URL('nodemailer-stand-in.ts', import.meta.url).href,
  'mxpress/sandbox': new URL('../../src/sandbox/sandbox.ts', import.meta.url).href,
  // Examples run in a folder without packages.
  nodemailer: import.meta.resolve('nodemailer'),
}

registerHooks({
  resolve: (specifier, context, next) => next(modules[specifier] ?? specifier, context),
})
