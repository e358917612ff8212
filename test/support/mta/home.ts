/** A server's own directory under the system's temporary one, and what every server wants in it. */
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Makes an empty directory that the servers' unprivileged users may enter. */
export async function makeHome(name: string): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), `mxpress-${name}-`))
  await chmod(home, 0o755)
  return home
}

/** Removes what `makeHome` made. */
export async function removeHome(home: string): Promise<void> {
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
}

/** Starts something in a home of its own, which is removed again if that fails. */
export async function inNewHome<T>(name: string, start: (home: string) => Promise<T>): Promise<T> {
  const home = await makeHome(name)
  try {
    return await start(home)
  } catch (error) {
    await removeHome(home)
    throw error
  }
}

/** Makes a directory that belongs to a user of the system. */
export async function makeDirectory(path: string, owner: string, mode = 0o700): Promise<void> {
  await mkdir(path, { recursive: true })
  await run('chown', [owner, path])
  await chmod(path, mode)
}

/** A self-signed certificate and its key, as PEM files; good for a day. */
export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}

/** Makes a self-signed certificate that names a host and its address. */
export async function makeCertificate(
  home: string,
  host: string,
  address: string,
): Promise<CertificateFiles> {
  const files = { certificate: join(home, 'certificate.pem'), key: join(home, 'key.pem') }
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', files.key]
  const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host},IP:${address}`]
  await run('openssl', ['req', '-x509', '-days', '1', ...key, '-out', files.certificate, ...names])
  return files
}

/** A port that nothing listens on at this address. */
export async function freePort(address: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, address, resolve)
  })
  const bound = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (bound === null || typeof bound === 'string') throw new Error(`No port at ${address}`)
  return bound.port
}
