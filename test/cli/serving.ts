/** A daemon of the built program, delivering into a sandbox of the test. */
import { createTransport } from 'nodemailer'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { emptyDirectory, type Running, type RunOptions, run, start } from './run.ts'
import { intoSandbox } from './sending.ts'

/** A daemon that is ready. */
export interface Serving {
  readonly process: Running
  /** Of its submission listener. */
  readonly port: number
  /** Its working directory; queue and log are in it, under their usual names. */
  readonly cwd: string
}

/** Starts `mxpress serve` and waits for its line. */
export async function serveInto(
  sandbox: Sandbox,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Serving> {
  const cwd = options.cwd ?? (await emptyDirectory())
  const listen = ['--listen', '127.0.0.1:0']
  const process = await start(['serve', ...listen, ...intoSandbox(sandbox), ...args], { ...options, cwd })
  const ready = await process.printed(/\n/)
  const [, port] = /^ready: submission 127\.0\.0\.1:(\d+)\n$/.exec(ready) ?? []
  return { process, port: Number(port), cwd }
}

/** Hands a message in as any program would. Resolves to the last reply. */
export async function submit(port: number, to: string | readonly string[], subject = 'hi'): Promise<string> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
  const { response } = await transport.sendMail({
    from: 'alice@sender.test',
    to: [...[to].flat()],
    subject,
    text: 'hello\n',
  })
  return response
}

/** The entries as `queue list --json` shows them. */
export async function queueOf(cwd: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { stdout } = await run(['queue', 'list', '--json'], { cwd })
  return JSON.parse(stdout).entries
}

/** Asks again until it holds; the test's own time limit ends it. */
export async function eventually<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await look()
    if (holds(value)) return value
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
