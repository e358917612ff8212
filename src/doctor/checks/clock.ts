/**
 * Is the clock right? A message from the future is suspicious, and so is a DKIM signature. No time server is asked: many
 * receivers say the time in their greeting, and the signatures of the DNS root hold for some days around now.
 */
import { defineCheck } from '../check.ts'
import { type SignatureLife, serverEvidence, signaturesOf } from '../name-servers.ts'
import type { DialledReceiver } from '../receivers.ts'
import { cannotTell, type Evidence, type Finding, ok, problem, runCommand, warning } from '../result.ts'

/** What there is to compare with. */
export interface ClockObservation {
  readonly nowMs: number
  /** By how much our clock is ahead of each receiver that said the time. */
  readonly aheadMs: readonly number[]
  readonly signatures: readonly SignatureLife[]
  readonly evidence: readonly Evidence[]
}

/** A greeting takes a second or two; a clock that is kept is right to far less. */
const WORTH_MENDING_MS = 60_000

/** Filters count a Date some minutes off against a message, and a `t=` in the future ends a DKIM signature. */
const HARMFUL_MS = 600_000

const mend = [runCommand('Let the system keep its clock by NTP.', 'timedatectl set-ntp true')]

/** Greetings are exact to a second, signatures to days; the worse of the two counts. */
export function judgeClock({ nowMs, aheadMs, signatures, evidence }: ClockObservation): readonly Finding[] {
  const isOutside = ({ inception, expiration }: SignatureLife) => nowMs < inception || nowMs > expiration
  if (signatures.length > 0 && signatures.every(isOutside)) {
    const summary = `The clock is off by days: at ${iso(nowMs)} the DNS root's signatures do not hold.`
    return [problem({ code: 'clock-wrong', summary, evidence, remedies: mend })]
  }
  // One receiver with a wrong clock shall not convict ours.
  const off = aheadMs.toSorted((a, b) => Math.abs(a) - Math.abs(b))[0]
  if (off === undefined) return [withoutGreeting(signatures, evidence)]
  const seconds = Math.round(Math.abs(off) / 1_000)
  if (Math.abs(off) < WORTH_MENDING_MS) {
    const summary = `Within ${Math.max(seconds, 1)} s of what receivers say.`
    return [ok({ code: 'clock-right', summary, evidence })]
  }
  const said = {
    code: 'clock-wrong',
    summary: `The clock is ${seconds} s ${off > 0 ? 'ahead of' : 'behind'} what receivers say.`,
    evidence,
    remedies: mend,
  }
  return [Math.abs(off) < HARMFUL_MS ? warning(said) : problem(said)]
}

function withoutGreeting(signatures: readonly SignatureLife[], evidence: readonly Evidence[]): Finding {
  if (signatures.length === 0) {
    const summary = 'No receiver said the time, and no DNS signature was to be had: nothing to compare with.'
    return cannotTell({ code: 'clock-uncompared', summary, evidence })
  }
  const summary =
    'The DNS root’s signatures hold, so the clock is right to some days; no receiver said the time.'
  return ok({ code: 'clock-plausible', summary, evidence })
}

/** The date at the end of a greeting: `220 mx.example.net ESMTP ready at Sat, 21 Nov 2026 07:00:00 +0000`. */
export function dateIn(greeting: string): number | null {
  const [, date] =
    /((?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (?:[+-]\d{4}|GMT|UTC))/.exec(
      greeting,
    ) ?? []
  const ms = date === undefined ? Number.NaN : Date.parse(date)
  return Number.isNaN(ms) ? null : ms
}

function datedGreetings(receivers: readonly DialledReceiver[]) {
  return receivers
    .flatMap(({ targets }) => targets)
    .flatMap(({ target, lines: [greeting = ''], greetedAt }) => {
      const said = dateIn(greeting)
      return said === null || greetedAt === null ? [] : [{ target, greeting, aheadMs: greetedAt - said }]
    })
}

export const clockCheck = defineCheck<ClockObservation>({
  name: 'clock',
  title: 'Clock',
  async observe(around) {
    const servers = await around.nameServers()
    const greetings = datedGreetings(await around.receivers())
    const nowMs = around.clock.now()
    return {
      nowMs,
      aheadMs: greetings.map(({ aheadMs }) => aheadMs),
      signatures: servers.flatMap(({ answer }) => (answer === null ? [] : signaturesOf(answer))),
      evidence: [
        { kind: 'system', asked: 'the time', answers: [iso(nowMs)], failure: null },
        ...greetings.map(
          ({ target, greeting }) =>
            ({
              kind: 'connection',
              asked: `greeting of ${target}`,
              answers: [greeting],
              failure: null,
            }) as const,
        ),
        ...servers.map(serverEvidence),
      ],
    }
  },
  judge: judgeClock,
})

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
