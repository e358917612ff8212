import { expect, test } from 'vitest'
import { type BesidePair, summarise } from './dkim/beside-figures.ts'
import { type DkimFigures, figuresText, findings } from './dkim/report.ts'

const figure = (way: 'mailauth' | 'prepare', isOneCore: boolean, perSecond: number, cpuUs: number) =>
  ({ way, algorithm: 'rsa', isOneCore, perSecond, cpuUs }) as const

const figures: DkimFigures = {
  cores: 2,
  octets: 2_048,
  signing: [
    figure('mailauth', true, 1_000, 1_000),
    figure('mailauth', false, 1_100, 1_000),
    figure('prepare', true, 900, 1_250),
    figure('prepare', false, 1_600, 1_250),
  ],
  costs: { whole: 300, parts: { 'the signature itself': 40 } },
  beside: {
    pace: 100,
    unsignedPace: 1_000,
    medianMs: { unsigned: 0.4, signed: 0.5, ratio: { overall: 1.3, low: 1, median: 1.25, high: 1.5 } },
    slowMs: { unsigned: 2, signed: 3, ratio: { overall: 1.6, low: 1, median: 1.5, high: 2 } },
    perSecond: { unsigned: 20_000, signed: 18_000, ratio: { overall: 0.9, low: 0.8, median: 0.9, high: 1 } },
  },
}

test('what signing promises is judged on one core by CPU time, on all by the clock', () => {
  expect(findings(figures)).toEqual([
    { text: 'rsa, by CPU time on one core: at least 0.9 times mailauth', ratio: 0.8, isMet: false },
    { text: 'rsa, all cores: at least 1.6 times mailauth on one', ratio: 1.6, isMet: true },
    { text: 'unsigned mail beside signed: at least 0.95 times as soon delivered', ratio: 0.8, isMet: false },
  ])
})

test('what was not measured, such as one core without taskset, is not judged', () => {
  const signing = figures.signing.filter(({ isOneCore }) => !isOneCore)
  expect(findings({ ...figures, signing }).map(({ text }) => text)).toEqual([
    'unsigned mail beside signed: at least 0.95 times as soon delivered',
  ])
  expect(figuresText({ ...figures, signing }, { quick: false })).toMatch(/dkimSign +- +1,100\/s 1000 µs$/m)
})

test('a quick run shows figures and judges nothing', () => {
  expect(figuresText(figures, { quick: true })).not.toMatch(/met/i)
})

test('turns are compared pair by pair, so that a slow moment of the machine weighs on both sides', () => {
  const pair = (unsigned: number, signed: number): BesidePair => {
    const window = (perSecond: number) => ({ perSecond, medianMs: Number.NaN, slowMs: Number.NaN })
    return { unsigned: window(unsigned), signed: window(signed) }
  }
  const pairs = [pair(1_000, 900), pair(100, 90), pair(10, 10), pair(2_890, 2_550), pair(500, 500)]
  expect(summarise(pairs, 'perSecond')).toEqual({
    unsigned: 500,
    signed: 500,
    ratio: { overall: 0.9, low: 0.9, median: 0.9, high: 1 },
  })
})

test('what was left out has no table', () => {
  const text = figuresText({ ...figures, signing: [], costs: null }, { quick: false })
  expect(text).toMatch(/^Unsigned mail with 100 messages a second beside it/)
})
