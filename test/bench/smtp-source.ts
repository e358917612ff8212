/**
 * Postfix's load generator, a C program: the yardstick from outside Node. Where it is not installed, it is left out.
 * One rule: its figures come from the system, since it reports none (`times` of the shell, `VmHWM` of /proc).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import type { SenderJob } from './senders/job.ts'
import type { SenderReport } from './usage.ts'

/** Octets of the header it puts before its `-l` octets, for `-M bench.test` and default addresses. */
const headerOctets = 128
const memorySampleMs = 20

/** The program's path: `BENCH_SMTP_SOURCE`, else `PATH`, else where Debian puts it; `null` when there is none. */
export function findSmtpSource(): string | null {
  const named = process.env.BENCH_SMTP_SOURCE
  if (named !== undefined) return named === '' ? null : named
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return directories.map((directory) => join(directory, 'smtp-source')).find(isExecutable) ?? null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Sends the workload over persistent connections. @throws {Error} when it fails or exceeds `deadlineMs`. */
export async function runSmtpSource(
  binary: string,
  job: SenderJob,
  deadlineMs: number,
): Promise<SenderReport> {
  const flags = ['-d', '-M', 'bench.test', '-f', 'a@sender.test', '-t', 'b@example.test']
  const sizes = ['-s', job.sessions, '-m', job.messages, '-l', job.octets - headerOctets].map(String)
  const startedAt = performance.now()
  // POSIX `times`: second line, the children's user and system time. The shell prints its child's id first.
  const script = '"$@" & echo $!; wait $! || exit; times'
  const shell = spawn('sh', ['-c', script, 'sh', binary, ...flags, ...sizes, `127.0.0.1:${job.port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LD_LIBRARY_PATH: join(dirname(binary), '../lib/postfix') },
  })
  let output = ''
  shell.stdout.setEncoding('latin1').on('data', (text: string) => {
    output += text
  })
  let peakRssOctets = 0
  const sampling = setInterval(() => {
    peakRssOctets = Math.max(peakRssOctets, peakMemoryOf(childId(output)))
  }, memorySampleMs)
  const deadline = setTimeout(() => stop(childId(output)), deadlineMs)
  const [code] = await once(shell, 'close')
  clearTimeout(deadline)
  clearInterval(sampling)
  if (code !== 0) throw new Error(`${binary} exited with ${String(code)}`)
  return {
    delivered: job.messages,
    elapsedMs: performance.now() - startedAt,
    cpuMs: childrenCpuMs(output),
    peakRssOctets,
    rssSamples: [],
  }
}

function childId(output: string): number {
  return Number.parseInt(output, 10)
}

function stop(id: number): void {
  if (id > 0) process.kill(id, 'SIGKILL')
}

function peakMemoryOf(id: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, 'latin1'))?.[1] ?? 0) * 1024
  } catch {
    // It has exited, or this is not Linux.
    return 0
  }
}

/** `0m1.250s 0m0.750s` in the last line. */
function childrenCpuMs(output: string): number {
  const times = [...(output.trimEnd().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  return times.reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000, 0)
}
