/** What is shown of lines that may hold a password. One rule: nothing of an AUTH exchange but its method is ever shown. */

/** Stands for what is not shown. */
export const HIDDEN = '[hidden]'

const INITIAL_RESPONSE = /^(\s*AUTH\s+\S+)\s+\S.*$/is

/** A command as it may be shown. `AUTH PLAIN AGEAYg==` has the password behind the method (RFC 4954 §4). */
export function withoutSecrets(line: string): string {
  return line.replace(INITIAL_RESPONSE, `$1 ${HIDDEN}`)
}

/** Several lines said at once: behind AUTH, each may be an answer to a challenge. */
export function linesWithoutSecrets(lines: string): string {
  const [, before = lines, auth = ''] = /^(.*?)(^[ \t]*AUTH[ \t].*)$/ims.exec(lines) ?? []
  const [command = '', ...answers] = auth.split(/\r?\n/)
  if (auth === '') return lines
  const hidden = answers.map((answer) => (answer === '' ? '' : HIDDEN))
  return `${before}${[withoutSecrets(command), ...hidden].join('\n')}`
}

/** The answer to a challenge as it may be shown; `*` gives up and is no secret. */
export function hiddenAnswer(line: string): string {
  return line.trim() === '*' ? line : HIDDEN
}
