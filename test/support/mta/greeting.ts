/** Reads a server's greeting, to learn that it is up. */
import { once } from 'node:events'
import { connect } from 'node:net'

/** The first line the server says, or `undefined` where nothing answers yet. */
export async function readGreeting(address: string, port: number): Promise<string | undefined> {
  const socket = connect(port, address)
  // With an error, for `once` to hear of it.
  socket.setTimeout(5_000, () => socket.destroy(new Error('no greeting')))
  try {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    // A server that loses its client in mid-greeting may log it as an error; say goodbye.
    socket.end('QUIT\r\n')
    return chunk.toString('latin1').split('\r\n', 1)[0]
  } catch {
    return undefined
  } finally {
    socket.resume()
    socket.once('error', () => {})
  }
}
