/**
 * What we say: it goes over the connection, and is shown to whoever follows the dialogue. One rule: of content nothing is
 * shown but its size. (`authenticate.ts` shows for itself what it says, which is secret.)
 */
import type { Connection } from './connection.ts'

/** Sends a flight of commands, each with its CRLF. @returns and throws as `Connection.write` */
export function say(connection: Connection, commands: string): boolean {
  showCommands(connection, commands)
  return connection.write(commands)
}

/** Sends content, or a part of it, ready for the wire. @returns and throws as `Connection.write` */
export function sayContent(connection: Connection, content: Uint8Array): boolean {
  showContent(connection, content)
  return connection.write(content)
}

/** Sends commands and the content behind them in one go. @returns and throws as `Connection.write` */
export function sayTogether(connection: Connection, commands: string, content: Uint8Array): boolean {
  showCommands(connection, commands)
  showContent(connection, content)
  return connection.writeTogether(commands, content)
}

function showCommands(connection: Connection, commands: string): void {
  if (!connection.isTraced) return
  for (const line of commands.trimEnd().split('\r\n')) connection.trace('client', line)
}

function showContent(connection: Connection, content: Uint8Array): void {
  if (connection.isTraced) connection.trace('client', `[${content.length} octets of content]`)
}
