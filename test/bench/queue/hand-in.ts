/** Hands mail in over SMTP with Postfix's smtp-source, so that what is measured never shares a process with its client. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { findInstallation } from '../../support/mta/installation.ts'
import { findSmtpSource } from '../smtp-source.ts'
import type { QueueContender } from './contenders.ts'

/** What is handed in. */
export interface HandIn {
  /** Sessions at once; each is kept for all its messages. */
  readonly clients: number
  readonly messages: number
  readonly octets: number
  /** Of the one recipient. */
  readonly domain: string
}

/** @returns messages a second. @throws {Error} when a message was not accepted */
export async function handIn(
  { ip, port }: QueueContender,
  { clients, messages, octets, domain }: HandIn,
): Promise<number> {
  const binary = smtpSource()
  const flags = ['-d', '-N', '-M', 'bench.test', '-f', 'a@sender.test', '-t', `u@${domain}`]
  const sizes = ['-s', clients, '-m', messages, '-l', octets].map(String)
  const begun = performance.now()
  const client = spawn(binary, [...flags, ...sizes, `${ip}:${port}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, LD_LIBRARY_PATH: path.join(path.dirname(binary), '../lib/postfix') },
  })
  const [code] = await once(client, 'close')
  if (code !== 0) throw new Error(`smtp-source exited with ${code}`)
  return messages / ((performance.now() - begun) / 1000)
}

function smtpSource(): string {
  const installation = findInstallation('postfix')
  const unpacked = installation.kind === 'found' ? path.join(installation.root, 'usr/sbin/smtp-source') : null
  const found = unpacked ?? findSmtpSource()
  if (found === null) throw new Error('smtp-source of Postfix is needed: .ci/system-packages puts it there')
  return found
}
