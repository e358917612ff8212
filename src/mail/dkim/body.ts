/**
 * A message read once for signing: its header section in memory, its body through the hash (RFC 6376 §3.4.4, §3.7) and
 * gone. One rule: however large the body is, the event loop turns in between.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { dkimBody } from 'mailauth/lib/dkim/body/index.js'
import type { Message } from '../message.ts'

/** Longer than any header that a receiver takes; without an end the section of a hostile message could fill the memory. */
const headerLimitOctets = 4 * 1024 * 1024

/** About 4 ms of hashing. */
const octetsPerTurn = 1024 * 1024

const endOfHeader = Buffer.from('\r\n\r\n')

/** Who is told of the header. */
export interface HeaderReader {
  /** Whether the body is wanted; given the header section, its blank line included, before any of it is hashed. */
  wants(header: Uint8Array): boolean
  /** Given as much of a header as is in memory when its end has not come; then there is no hash. */
  onTooLarge?(beginning: Uint8Array): void
}

/** The SHA-256 of the body in relaxed form, in Base64; `null` when it is not wanted, or the header too large. */
export async function hashBody(message: Message, reader: HeaderReader): Promise<string | null> {
  const hash = dkimBody('relaxed', 'sha256')
  let header: Buffer | null = Buffer.alloc(0)
  let hashed = 0
  for await (const chunk of message.open()) {
    let body = chunk
    if (header !== null) {
      header = header.length === 0 ? asBuffer(chunk) : Buffer.concat([header, chunk])
      const at = header.indexOf(endOfHeader)
      if (at === -1) {
        if (header.length <= headerLimitOctets) continue
        reader.onTooLarge?.(wholeLines(header))
        return null
      }
      const end = at + endOfHeader.length
      if (!reader.wants(header.subarray(0, end))) return null
      body = header.subarray(end)
      header = null
    }
    hash.update(body)
    hashed += body.length
    if (hashed < octetsPerTurn) continue
    hashed = 0
    await nextTurn()
  }
  // A message without a blank line is all header, and its body empty.
  if (header !== null && !reader.wants(header)) return null
  return hash.digest('base64')
}

function wholeLines(octets: Buffer): Uint8Array {
  return octets.subarray(0, octets.lastIndexOf('\r\n') + 2)
}

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}
