/** A password from whoever runs the program. One rule: it is never an argument, and never shown. */
import { text } from 'node:stream/consumers'
import { InputDataError } from './errors.ts'
import { noteLine } from './terminal.ts'

/**
 * Asks twice at a terminal; elsewhere the first line of standard input is it.
 * @throws {InputDataError} empty, or not the same twice
 */
export async function readNewPassword(): Promise<string> {
  const { stdin } = process
  if (!stdin.isTTY) return demandSome((await text(stdin)).split(/\r?\n/, 1)[0] ?? '')
  const password = demandSome(await askHidden('Password: '))
  if ((await askHidden('Again: ')) !== password) throw new InputDataError('the two passwords differ')
  return password
}

function demandSome(password: string): string {
  if (password === '') throw new InputDataError('expected a password, found an empty line')
  return password
}

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'

/** Reads a line in raw mode, so that the terminal repeats nothing. */
function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process
  return new Promise((resolve) => {
    let typed = ''
    const finish = () => {
      stdin.off('data', take)
      stdin.setRawMode(false)
      stdin.pause()
      noteLine('')
    }
    const take = (chunk: string) => {
      for (const character of chunk) {
        if (character === CTRL_C) {
          finish()
          process.kill(process.pid, 'SIGINT')
          return
        }
        if (character === '\r' || character === '\n' || character === CTRL_D) {
          finish()
          resolve(typed)
          return
        }
        if (character === '\u007f' || character === '\b') typed = [...typed].slice(0, -1).join('')
        else typed += character
      }
    }
    stderr.write(question)
    stdin.setEncoding('utf8').setRawMode(true)
    stdin.on('data', take).resume()
  })
}
