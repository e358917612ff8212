/** From what a server stored back to what it was sent. */
import { firstField } from './contents.ts'

/**
 * The message without the trace fields that the server put in front (Return-Path, Received, Delivered-To …; RFC 5321
 * §4.4), line ends made CRLF: a Maildir keeps the LF of its system.
 */
export function asSent(stored: Buffer): Buffer {
  const start = stored.indexOf(firstField)
  if (start === -1) throw new Error(`Not one of our messages:\n${stored.toString('latin1')}`)
  return Buffer.from(stored.subarray(start).toString('latin1').replaceAll('\n', '\r\n'), 'latin1')
}

/** The fields that the server put in front. */
export function traceOf(stored: Buffer): string {
  return stored.subarray(0, stored.indexOf(firstField)).toString('latin1')
}

/** The reverse-path as the server recorded it (RFC 5321 §4.4); OpenSMTPD records a null one by leaving the field out. */
export function returnPathOf(stored: Buffer): string {
  return /^Return-Path: (.*)$/im.exec(traceOf(stored))?.[1] ?? '<>'
}

/** What arrives: text ends in CRLF whether its author ended it so or not (RFC 5321 §4.1.1.4). */
export function withLineEnd(octets: Buffer): Buffer {
  return octets.subarray(-2).equals(crlf) ? octets : Buffer.concat([octets, crlf])
}

const crlf = Buffer.from('\r\n')
