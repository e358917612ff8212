/**
 * Telling the service manager where we stand (sd_notify(3)). One rule: nothing depends on it; without NOTIFY_SOCKET, or
 * without the program, nothing is said.
 *
 * Node has no datagram sockets in the file system, so `systemd-notify` says it for us: the unit has to allow that with
 * `NotifyAccess=all`.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** A hung service manager shall not hang us. */
const limitMs = 2_000

/** `READY=1` and `STOPPING=1` of sd_notify(3), with a line for `systemctl status`. */
export async function notifyServiceManager(
  state: 'READY' | 'STOPPING',
  status: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  if (!env.NOTIFY_SOCKET) return
  const words = [`--pid=${process.pid}`, `--status=${status}`, `${state}=1`]
  await promisify(execFile)('systemd-notify', words, { timeout: limitMs, env }).catch(() => {})
}
