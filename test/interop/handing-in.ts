/** How each program is told to hand in a mail. One rule: the program is run as its manual says, and reports by its exit code. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createTransport } from 'nodemailer'
import type { ClientName } from '../support/mta/client-program.ts'
import { type Finished, runProgram } from './program.ts'
import type { ServingDaemon } from './serving.ts'

/** What is handed in, from alice@sender.test. */
export interface HandedIn {
  readonly to: string
  readonly cc: string
  readonly bcc: string
  readonly subject: string
  /** Lines that end in LF. */
  readonly text: string
  /** `null` where the program can attach nothing. */
  readonly attachment: Buffer | null
}

/** Where and with what. */
export interface Setting {
  /** The program's file. */
  readonly file: string
  readonly daemon: ServingDaemon
  /** A directory of its own, which is also its HOME. */
  readonly cwd: string
}

/** One way to hand in mail. */
export interface Way {
  readonly title: string
  /** `null`: part of this project's own dependencies. */
  readonly program: ClientName | null
  readonly canAttach: boolean
  /** It sends text beyond ASCII as it is. */
  readonly is8bit: boolean
  /** Its exit code for mail that was refused; `null`: any but 0, as of a Perl script that dies with its last errno. */
  readonly refused: number | null
  readonly handIn: (mail: HandedIn, setting: Setting) => Promise<Finished>
}

const author = 'alice@sender.test'

/** A message as a program writes it that leaves nothing to its library; Bcc is left in, and 8 bits are not announced. */
const rawMessage = ({ to, cc, bcc, subject, text }: HandedIn) =>
  Buffer.from(
    [
      `From: Alice <${author}>`,
      `To: ${to}`,
      `Cc: ${cc}`,
      `Bcc: ${bcc}`,
      `Subject: =?utf-8?B?${Buffer.from(subject).toString('base64')}?=`,
      'Message-ID: <handed-in@sender.test>',
      'Date: Sat, 21 Nov 2026 07:00:00 +0000',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      text,
    ].join('\n'),
  )

const swaks: Way = {
  title: 'swaks',
  program: 'swaks',
  canAttach: false,
  is8bit: true,
  refused: 26, // of its manual: "Error sending data"
  handIn: async (mail, { file, daemon, cwd }) => {
    const message = path.join(cwd, 'message.eml')
    await writeFile(message, rawMessage(mail))
    const to = [mail.to, mail.cc, mail.bcc].join(',')
    const server = ['--server', '127.0.0.1', '--port', `${daemon.port}`, '--helo', 'client.test']
    return await runProgram(file, [...server, '--from', author, '--to', to, '--data', `@${message}`], { cwd })
  },
}

const patch = ({
  subject,
  text,
}: HandedIn) => `From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001
From: Alice <${author}>
Date: Sat, 21 Nov 2026 07:00:00 +0000
Subject: ${subject}
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

${text}`

async function gitSendEmail(mail: HandedIn, { file, cwd }: Setting, way: readonly string[]) {
  await writeFile(path.join(cwd, '0001.patch'), patch(mail))
  const from = ['--from', `Alice <${author}>`, '--envelope-sender', author]
  const addresses = [...from, '--to', mail.to, '--cc', mail.cc, '--bcc', mail.bcc]
  const quietly = ['--confirm=never', '--suppress-cc=all', '--no-validate', '--8bit-encoding=UTF-8']
  return await runProgram('git', ['send-email', ...way, ...addresses, ...quietly, '0001.patch'], {
    cwd,
    env: {
      PATH: `${path.dirname(file)}:${process.env.PATH}`,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      // It asks who this is even where --from says so.
      EMAIL: author,
    },
  })
}

const git: readonly Way[] = [
  {
    title: 'git send-email over SMTP',
    program: 'git send-email',
    canAttach: false,
    is8bit: true,
    refused: null,
    handIn: (mail, setting) =>
      gitSendEmail(mail, setting, [
        '--smtp-server=127.0.0.1',
        `--smtp-server-port=${setting.daemon.port}`,
        '--smtp-domain=client.test',
      ]),
  },
  {
    title: 'git send-email by sendmail',
    program: 'git send-email',
    canAttach: false,
    is8bit: true,
    refused: null,
    handIn: (mail, setting) => gitSendEmail(mail, setting, [`--sendmail-cmd=${setting.daemon.sendmail} -i`]),
  },
]

const mailx: Way = {
  title: 'mailx by sendmail',
  program: 'mailx',
  canAttach: false,
  is8bit: true,
  refused: 1,
  handIn: async ({ to, cc, bcc, subject, text }, { file, daemon, cwd }) => {
    const MAILRC = path.join(cwd, 'mailrc')
    await writeFile(MAILRC, `set sendmail=${daemon.sendmail}\nset sendwait\n`)
    const addresses = ['-r', author, '-c', cc, '-b', bcc]
    return await runProgram(file, [...addresses, '-s', subject, to], { cwd, stdin: text, env: { MAILRC } })
  },
}

const mutt: Way = {
  title: 'mutt by sendmail',
  program: 'mutt',
  canAttach: true,
  is8bit: true,
  refused: 1,
  handIn: async ({ to, cc, bcc, subject, text, attachment }, { file, daemon, cwd }) => {
    const muttrc = path.join(cwd, 'muttrc')
    const attached = path.join(cwd, 'all.bin')
    const settings = [
      `sendmail="${daemon.sendmail} -i"`,
      `from=${author}`,
      'use_envelope_from=yes',
      'charset=utf-8',
      'send_charset=us-ascii:utf-8',
      'copy=no',
    ]
    await writeFile(muttrc, settings.map((setting) => `set ${setting}\n`).join(''))
    await writeFile(attached, attachment ?? '')
    const args = ['-n', '-F', muttrc, '-s', subject, '-c', cc, '-b', bcc, '-a', attached, '--', to]
    return await runProgram(file, args, { cwd, stdin: text })
  },
}

const pythonScript = `
import email.message, email.policy, smtplib, sys
port, to, cc, bcc, subject, text, attachment = sys.argv[1:]
mail = email.message.EmailMessage(email.policy.SMTP.clone(cte_type='8bit'))
mail['From'], mail['To'], mail['Cc'], mail['Bcc'] = '${author}', to, cc, bcc
mail['Subject'] = subject
mail.set_content(open(text).read(), cte='8bit')
mail.add_attachment(open(attachment, 'rb').read(), 'application', 'octet-stream', filename='all.bin')
with smtplib.SMTP('127.0.0.1', int(port), 'client.test', timeout=30) as server:
    refused = server.send_message(mail)
    assert refused == {}, refused
`

const python: Way = {
  title: "Python's smtplib",
  program: 'python3',
  canAttach: true,
  is8bit: true,
  refused: 1,
  handIn: async ({ to, cc, bcc, subject, text, attachment }, { file, daemon, cwd }) => {
    const [body, attached] = [path.join(cwd, 'body'), path.join(cwd, 'all.bin')]
    await writeFile(body, text)
    await writeFile(attached, attachment ?? '')
    const args = [`${daemon.port}`, to, cc, bcc, subject, body, attached]
    // Its HOME stays: a Python that is managed per user is found there.
    return await runProgram(file, ['-c', pythonScript, ...args], {
      cwd,
      env: { HOME: process.env.HOME, PYTHONUTF8: '1' },
    })
  },
}

const nodemailers = (['SMTP', 'sendmail'] as const).map(
  (kind): Way => ({
    title: kind === 'SMTP' ? 'nodemailer over SMTP' : 'nodemailer by sendmail',
    program: null,
    canAttach: true,
    is8bit: false,
    refused: 1,
    handIn: async ({ attachment, ...mail }, { daemon }) => {
      using transport = transportOf(kind, daemon)
      const attachments = [{ filename: 'all.bin', content: attachment ?? '' }]
      const content = { ...mail, from: author, attachments, textEncoding: 'base64' as const }
      try {
        const { response } = await transport.sendMail(content)
        return { code: 0, output: `${response}` }
      } catch (error) {
        return { code: 1, output: `${error}` }
      }
    },
  }),
)

function transportOf(kind: 'SMTP' | 'sendmail', { port, sendmail }: ServingDaemon) {
  const transport =
    kind === 'SMTP'
      ? createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
      : createTransport({ sendmail: true, path: sendmail, newline: 'unix' })
  return {
    sendMail: (mail: Parameters<typeof transport.sendMail>[0]) =>
      transport.sendMail(mail) as Promise<{ readonly response: string }>,
    [Symbol.dispose]: () => transport.close(),
  }
}

/** Every way that is tested. */
export const ways: readonly Way[] = [swaks, ...git, mailx, mutt, python, ...nodemailers]
