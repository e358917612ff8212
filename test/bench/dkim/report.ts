/** The figures of signing, for people. */
import type { Beside } from './beside-figures.ts'
import type { Costs } from './costs.ts'
import type { Way } from './signing.ts'

/** One way of signing on one core or on all. */
export interface Figure {
  readonly way: Way
  readonly algorithm: 'rsa' | 'ed25519'
  readonly isOneCore: boolean
  readonly perSecond: number
  readonly cpuUs: number
}

/** Unsigned mail, with unsigned and with signed mail beside it. */
export interface BesideFigures {
  /** Messages a second beside. */
  readonly pace: number
  /** Messages a second where the machine has room. */
  readonly unsignedPace: number
  /** With room: from handing a message over to its report, half of them and the longest of a hundred. */
  readonly medianMs: Beside
  readonly slowMs: Beside
  /** Without room. */
  readonly perSecond: Beside
}

/** Everything that was measured. */
export interface DkimFigures {
  readonly cores: number
  readonly octets: number
  readonly signing: readonly Figure[]
  /** `null`: not measured. */
  readonly costs: Costs | null
  readonly beside: BesideFigures
}

const titles: Readonly<Record<Way, string>> = {
  crypto: 'node:crypto alone, on the event loop',
  'crypto aside': "node:crypto alone, libuv's threads",
  threads: 'node:crypto alone, worker threads',
  mailauth: "mailauth's dkimSign",
  sign: 'mxpress, a message signed',
  prepare: 'mxpress, a raw message prepared and signed',
}

/** What the send road promises, and whether it was kept. */
export interface DkimFinding {
  readonly text: string
  readonly ratio: number
  readonly isMet: boolean
}

/** @param options `quick`: too little was measured to judge */
export function figuresText(figures: DkimFigures, { quick }: { readonly quick: boolean }): string {
  const found = quick ? [] : findings(figures)
  return [
    ...(['rsa', 'ed25519'] as const).flatMap((algorithm) => tableOf(figures, algorithm)),
    ...(figures.costs === null ? [] : costLines(figures.costs)),
    ...besideLines(figures.beside),
    ...found.map(({ text, ratio, isMet }) => `${isMet ? 'met    ' : 'NOT MET'} ${text}: ${ratio.toFixed(2)}`),
  ].join('\n')
}

/** The promises that can be judged by what was measured. */
export function findings({ signing, beside }: DkimFigures): readonly DkimFinding[] {
  const figure = (way: Way, algorithm: string, isOneCore: boolean): Figure | undefined =>
    signing.find((one) => one.way === way && one.algorithm === algorithm && one.isOneCore === isOneCore)
  return [
    ...(['rsa', 'ed25519'] as const).flatMap((algorithm): DkimFinding[] => {
      const yardstick = figure('mailauth', algorithm, true)
      const [one, all] = [true, false].map((isOneCore) => figure('prepare', algorithm, isOneCore))
      if (yardstick === undefined || one === undefined || all === undefined) return []
      // One core's rate is told from the CPU time: a neighbour on the machine takes of the clock, and not of that.
      const [ofOne, ofAll] = [yardstick.cpuUs / one.cpuUs, all.perSecond / yardstick.perSecond]
      return [
        finding(`${algorithm}, by CPU time on one core: at least 0.9 times mailauth`, ofOne, 0.9),
        finding(`${algorithm}, all cores: at least 1.6 times mailauth on one`, ofAll, 1.6),
      ]
    }),
    // With every core full, signing takes its share of them from somebody: that ratio is told and not judged.
    finding(
      'unsigned mail beside signed: at least 0.95 times as soon delivered',
      1 / beside.medianMs.ratio.median,
      0.95,
    ),
  ]
}

function finding(text: string, ratio: number, least: number): DkimFinding {
  return { text, ratio, isMet: ratio >= least }
}

function tableOf({ signing, octets, cores }: DkimFigures, algorithm: string): string[] {
  const ofIt = signing.filter((figure) => figure.algorithm === algorithm)
  if (ofIt.length === 0) return []
  const cell = (way: Way, isOneCore: boolean) => {
    const figure = ofIt.find((one) => one.way === way && one.isOneCore === isOneCore)
    if (figure === undefined) return '-'.padStart(22)
    return `${Math.round(figure.perSecond).toLocaleString('en')}/s ${Math.round(figure.cpuUs)} µs`.padStart(
      22,
    )
  }
  const ways = [...new Set(ofIt.map(({ way }) => way))]
  return [
    `${algorithm}, ${octets} octets: rate and CPU time of each${'one core'.padStart(9)}${`${cores} cores`.padStart(22)}`,
    ...ways.map((way) => `  ${titles[way].padEnd(44)}${cell(way, true)}${cell(way, false)}`),
    '',
  ]
}

function costLines({ whole, parts }: Costs): string[] {
  const known = Object.values(parts).reduce((sum, part) => sum + part, 0)
  const line = (title: string, us: number) => `  ${title.padEnd(44)}${us.toFixed(1).padStart(10)} µs`
  return [
    "Where mailauth's time goes (Ed25519, one message):",
    ...Object.entries(parts).map(([title, us]) => line(title, us)),
    line('the rest: streams, and the header octet by octet', whole - known),
    line('all of it', whole),
    '',
  ]
}

function besideLines({ pace, unsignedPace, medianMs, slowMs, perSecond }: BesideFigures): string[] {
  return [
    `Unsigned mail with ${pace} messages a second beside it, unsigned or signed with RSA: medians of the turns; signed over unsigned in all, and quartiles`,
    besideLine(`${unsignedPace.toLocaleString('en')} a second: time of one, median`, medianMs, inMs),
    besideLine('  the longest of a hundred', slowMs, inMs),
    besideLine('as many as can be: rate', perSecond, inMessages),
    '',
  ]
}

function besideLine(
  title: string,
  { unsigned, signed, ratio }: Beside,
  show: (of: number) => string,
): string {
  const quartiles = [ratio.low, ratio.median, ratio.high].map((of) => of.toFixed(2)).join(' ')
  return `  ${title.padEnd(44)}${show(unsigned).padStart(12)}${show(signed).padStart(12)}   ${ratio.overall.toFixed(2)} (${quartiles})`
}

function inMs(ms: number): string {
  return `${ms.toFixed(2)} ms`
}

function inMessages(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString('en')}/s`
}
