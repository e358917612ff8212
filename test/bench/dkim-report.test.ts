import { expect, test } from 'vitest'
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
    perSecond: { unsigned: 20_000, signed: 18_000 },
    waitMs: { unsigned: 2, signed: 3 },
    ratio: 0.9,
  },
}

test('what signing promises is judged on one core by CPU time, on all by the clock', () => {
  expect(findings(figures)).toEqual([
    { text: 'rsa, by CPU time on one core: at least 0.9 times mailauth', ratio: 0.8, isMet: false },
    { text: 'rsa, all cores: at least 1.6 times mailauth on one', ratio: 1.6, isMet: true },
    { text: 'unsigned mail beside signed: at least 0.95 of its rate', ratio: 0.9, isMet: false },
  ])
})

test('what was not measured, such as one core without taskset, is not judged', () => {
  const signing = figures.signing.filter(({ isOneCore }) => !isOneCore)
  expect(findings({ ...figures, signing }).map(({ text }) => text)).toEqual([
    'unsigned mail beside signed: at least 0.95 of its rate',
  ])
  expect(figuresText({ ...figures, signing }, { quick: false })).toMatch(/dkimSign +- +1,100\/s 1000 µs$/m)
})

test('a quick run shows figures and judges nothing', () => {
  expect(figuresText(figures, { quick: true })).not.toMatch(/met/i)
})
