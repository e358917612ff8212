/** A scripted server for the length of one test. */
import { onTestFinished } from 'vitest'
import { type Script, ScriptedServer, type ScriptedServerOptions } from './scripted-server.ts'

/** Starts a server; it is closed when the test is over, and fails it where its script was disappointed. */
export async function scripted(script: Script, options: ScriptedServerOptions = {}): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(script, options)
  onTestFinished(() => server.close())
  return server
}
