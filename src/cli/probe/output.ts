/**
 * The ways a probe's reports are written: for people, as one JSON document, as CSV. One rule: each report is written when it
 * comes and forgotten, so that ten thousand need no more memory than one.
 */
import { stringify } from 'csv-stringify/sync'
import { escapeText } from '../../log/escape.ts'
import type { ProbeReport } from '../../probe/report.ts'
import type { ProbeSummary } from '../../probe/summary.ts'
import { formatJson, paintFor, printText } from '../terminal.ts'
import { probeLines, probeSummaryLines } from './text.ts'

/** Writes reports; every method resolves with whether there still is a reader. */
export interface ProbeOutput {
  begin(): Promise<boolean>
  report(report: ProbeReport): Promise<boolean>
  end(summary: ProbeSummary): Promise<boolean>
}

/** For people. `matrix`: all exchangers of each target, not only its verdict. */
export function textOutput({ matrix }: { readonly matrix: boolean }): ProbeOutput {
  const paint = paintFor(process.stdout)
  return {
    begin: async () => true,
    report: (report) => printLines(probeLines(report, { matrix, paint })),
    // One verdict needs no counting.
    end: (summary) =>
      summary.targets === 1 && !summary.seemsBlocked
        ? Promise.resolve(true)
        : printLines(probeSummaryLines(summary)),
  }
}

/** One document, described by config/probe.schema.json; it is whole however the probe ends. */
export function jsonOutput(): ProbeOutput {
  let before = ''
  return {
    begin: () => printText('{\n  "targets": ['),
    report: (report) => {
      const text = `${before}\n${formatJson(report).replace(/^/gm, '    ')}`
      before = ','
      return printText(text)
    },
    end: ({ verdicts, seemsBlocked }) => {
      const rest = formatJson({ counts: verdicts, seemsBlocked }).replace(/^\{\n/, '')
      return printText(`${before === '' ? '' : '\n  '}],\n${rest}\n`)
    },
  }
}

const columns = [
  'target',
  'domain',
  'verdict',
  'status',
  'reason',
  'meaning',
  'retry_after_seconds',
  'stopped_after',
  'exchanger',
  'ip',
  'port',
  'tls_protocol',
  'tls_verified',
] as const

/** A row for each target, a heading first (RFC 4180, lines ended as on Unix). */
export function csvOutput(): ProbeOutput {
  return {
    begin: () => printText(rowText([...columns])),
    report: (report) => printText(rowText(rowOf(report))),
    end: async () => true,
  }
}

// What a server says must not become a formula in somebody's spreadsheet.
function rowText(row: readonly string[]): string {
  return stringify([[...row]], { escape_formulas: true })
}

function rowOf(report: ProbeReport): readonly string[] {
  const { target, domain, verdict, status, reason, meaning, decidedBy } = report
  const { retryAfterSeconds, stoppedAfter } = report
  const tls = tlsOf(report)
  return [
    target,
    domain,
    verdict,
    status,
    escapeText(reason),
    meaning,
    retryAfterSeconds === null ? '' : `${retryAfterSeconds}`,
    stoppedAfter ?? '',
    decidedBy?.exchanger ?? '',
    decidedBy?.ip ?? '',
    decidedBy === null ? '' : `${decidedBy.port}`,
    tls?.protocol ?? '',
    tls === null ? '' : tls.verified ? 'yes' : 'no',
  ]
}

function tlsOf({ decidedBy, exchangers }: ProbeReport) {
  const exchanger = exchangers.find(({ host }) => host === decidedBy?.exchanger)
  return exchanger?.addresses.find(({ ip }) => ip === decidedBy?.ip)?.tls ?? null
}

function printLines(lines: readonly string[]): Promise<boolean> {
  return printText(lines.map((line) => `${line}\n`).join(''))
}
