import { expect, test } from 'vitest'
import { UsageError } from '../../src/cli/errors.ts'
import { parseSendmailArguments } from '../../src/cli/sendmail/arguments.ts'

const plain = {
  mode: 'deliver',
  hasHeaderRecipients: false,
  ignoresDots: false,
  isVerbose: false,
  recipients: [],
}
const parse = (line: string) => parseSendmailArguments(line.split(' ').filter(Boolean))

// How well-known programs call it.
test.each([
  ['PHP', '-t -i', { hasHeaderRecipients: true, ignoresDots: true }],
  [
    'cron',
    '-FCronDaemon -i -odi -oem -oi -t -f root',
    { fullName: 'CronDaemon', ignoresDots: true, hasHeaderRecipients: true, reversePath: 'root' },
  ],
  [
    "Debian's cron",
    '-i -FCronDaemon -B8BITMIME -oem root',
    { ignoresDots: true, fullName: 'CronDaemon', recipients: ['root'] },
  ],
  [
    'mutt',
    '-oem -oi -f a@b.test -- c@d.test',
    { ignoresDots: true, reversePath: 'a@b.test', recipients: ['c@d.test'] },
  ],
  [
    'mailx',
    '-i -r a@b.test c@d.test e@f.test',
    { ignoresDots: true, reversePath: 'a@b.test', recipients: ['c@d.test', 'e@f.test'] },
  ],
  [
    'git',
    '-i -f a@b.test c@d.test',
    { ignoresDots: true, reversePath: 'a@b.test', recipients: ['c@d.test'] },
  ],
])('%s calls it: %s', (_name, line, expected) => {
  expect(parse(line)).toEqual({ ...plain, ...expected })
})

test.each([
  ['-ti', { hasHeaderRecipients: true, ignoresDots: true }],
  ['-tfa@b.test', { hasHeaderRecipients: true, reversePath: 'a@b.test' }],
  ['a@b.test -v', { isVerbose: true, recipients: ['a@b.test'] }],
  ['-v -- -odd@b.test --', { isVerbose: true, recipients: ['-odd@b.test', '--'] }],
  ['-oee -odb -odq -OQueueDirectory=/x -X /dev/null -h 3 -L tag -pESMTP:x -Ac -C/etc/x -G -U -n -m', {}],
  [
    '-N success,delay -R hdrs -V id',
    { recipientDsn: { notify: ['SUCCESS', 'DELAY'] }, dsn: { ret: 'HDRS', envid: 'id' } },
  ],
  ['-bm', {}],
  ['-bs', { mode: 'session' }],
  ['-bp', { mode: 'list' }],
  ['-q', { mode: 'run' }],
  ['-q30m', { mode: 'run' }],
  ['-d0.1', {}],
])('%s', (line, expected) => {
  expect(parse(line)).toEqual({ ...plain, ...expected })
})

test('long options are the command’s own', () => {
  const argv = ['--queue', '/q', '-t', '--json', '--queue=/x', 'a@b.test']
  expect(parseSendmailArguments(argv, new Set(['--queue']))).toEqual({
    ...plain,
    hasHeaderRecipients: true,
    recipients: ['a@b.test'],
  })
})

test('an empty -f is the null reverse-path', () => {
  expect(parseSendmailArguments(['-f', '', 'a@b.test']).reversePath).toBe('')
})

test.each([
  ['-z', "unknown option -z in '-z'"],
  ['-tz', "unknown option -z in '-tz'"],
  ['-f', 'option -f needs a value'],
  ['-bd', '-bd: expected -bm, -bs or -bp; the daemon is `mxpress serve`'],
  ['-bv', '-bv: expected -bm, -bs or -bp'],
  ['-qRexample.org', '-qRexample.org: choose entries with `mxpress queue retry`'],
  ['-N sometimes', '-N: Expected NOTIFY'],
  ['-R half', '-R: Expected RET'],
])('%s is refused by name', (line, message) => {
  expect(() => parse(line)).toThrow(UsageError)
  expect(() => parse(line)).toThrow(message)
})
