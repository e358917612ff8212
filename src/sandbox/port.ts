/**
 * One port for all exchangers, as the internet has its 25: the system picks one at the first address, and when
 * another address has it taken, all start over. One rule: either all listen or none does.
 */

/** Something that listens on one address. */
export interface Listening {
  readonly ip: string
  /** Gives the port; a listener that was closed is not used again. */
  listen(port: number): Promise<number>
  close(): Promise<void>
}

/** The port is in use, or was just now; another may do. */
export const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

/** So often a new port is tried. Each failure needs a stranger on the same port, so a second is rare already. */
const mostTries = 20

const listenOnAll = async (listening: readonly Listening[], wanted: number): Promise<number> => {
  let port = wanted
  for (const one of listening) port = await one.listen(port)
  return port
}

const explain = (error: unknown, ips: readonly string[]): unknown => {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRNOTAVAIL')) return error
  // Linux has all of 127.0.0.0/8 on its loopback interface, macOS and the BSDs only 127.0.0.1.
  return new Error(
    `The sandbox needs the loopback addresses ${ips[0]} to ${ips.at(-1)}; on macOS and BSD add each with ifconfig lo0 alias`,
    { cause: error },
  )
}

/**
 * Makes the listeners with `make` and lets all listen on one port: `wanted`, or a free one when that is 0.
 * @throws {Error} `EADDRINUSE` when the wanted port is taken, or no common one was found.
 */
export const listenOnOnePort = async <One extends Listening>(
  make: () => readonly One[],
  wanted: number,
): Promise<{ readonly listening: readonly One[]; readonly port: number }> => {
  for (let tries = 1; ; tries += 1) {
    const listening = make()
    try {
      return { listening, port: await listenOnAll(listening, wanted) }
    } catch (error) {
      await Promise.all(listening.map((one) => one.close()))
      if (!isTaken(error) || wanted !== 0 || tries === mostTries) {
        throw explain(
          error,
          listening.map((one) => one.ip),
        )
      }
    }
  }
}
