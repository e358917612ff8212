/** Which address of ours the system would connect from, without connecting: its routing table is asked. */
import { createSocket } from 'node:dgram'

/**
 * Addresses that are nobody's (RFC 5737, RFC 3849): a way to them is the way to the internet. To connect a UDP socket
 * only looks the way up; no packet leaves.
 */
const anywhere = { 4: '192.0.2.1', 6: '2001:db8::1' } as const

/** `null` where the family has no way out. */
export function systemSource(family: 4 | 6): Promise<string | null> {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6')
  return new Promise<string | null>((resolve) => {
    socket.once('error', () => resolve(null))
    socket.once('connect', () => resolve(socket.address().address))
    socket.connect(25, anywhere[family])
  }).finally(() => socket.close())
}
