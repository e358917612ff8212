/** Can the log be written? A file that is there is opened for appending and left as it was; one that is not is not made. */
import { constants } from 'node:fs'
import { access, open } from 'node:fs/promises'
import path from 'node:path'
import { defineCheck } from '../check.ts'
import { type Finding, ok, problem, runCommand, shellWord } from '../result.ts'

/** What was tried. */
export interface LogFileObservation {
  /** `null`: no log is configured. */
  readonly file: string | null
  readonly exists: boolean
  /** The system's code; `null` when it can be written. */
  readonly failure: string | null
}

/** One finding. */
export function judgeLogFile({ file, exists, failure }: LogFileObservation): readonly Finding[] {
  if (file === null) return [ok({ code: 'log-none', summary: 'No log is configured.' })]
  const asked = exists ? `append to ${file}` : `write permission in ${path.dirname(file)}`
  const answers = failure === null ? ['done'] : []
  const evidence = [{ kind: 'system', asked, answers, failure }] as const
  if (failure === null) {
    const summary = exists ? `${file} can be written.` : `${file} is not there yet and can be made.`
    return [ok({ code: 'log-writable', summary, evidence })]
  }
  const summary = `${file} cannot be written: ${failure}.`
  const text = 'Let the user that mxpress runs as write there.'
  const command =
    failure === 'ENOENT'
      ? `install -d -o mxpress ${shellWord(path.dirname(file))}`
      : `chown mxpress ${shellWord(exists ? file : path.dirname(file))}`
  const remedies = [runCommand(text, command)]
  return [problem({ code: 'log-unwritable', summary, evidence, remedies })]
}

/** Tries it. @param named as `log.file`, relative to the working directory */
export async function observeLogFile(named: string | null): Promise<LogFileObservation> {
  if (named === null) return { file: null, exists: false, failure: null }
  const file = path.resolve(named)
  const failure = await codeOf(async () => {
    await using _ = await open(file, constants.O_APPEND | constants.O_WRONLY)
  })
  if (failure !== 'ENOENT') return { file, exists: true, failure }
  const directory = await codeOf(() => access(path.dirname(file), constants.W_OK | constants.X_OK))
  return { file, exists: false, failure: directory }
}

async function codeOf(work: () => Promise<void>): Promise<string | null> {
  try {
    await work()
    return null
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code ?? message
  }
}

export const logFileCheck = defineCheck({
  name: 'log-file',
  title: 'Log',
  observe: ({ settings }) => observeLogFile(settings.log.file),
  judge: judgeLogFile,
})
