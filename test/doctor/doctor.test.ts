import { describe, expect, test, vi } from 'vitest'
import { ConfigError } from '../../src/config/errors.ts'
import { defineCheck } from '../../src/doctor/check.ts'
import { checks } from '../../src/doctor/checks.ts'
import { examineHost } from '../../src/doctor/doctor.ts'
import type { CheckResult } from '../../src/doctor/result.ts'
import { ok } from '../../src/doctor/result.ts'
import { examine, ip4, options } from './examining.ts'
import { checkNames, problemsOf } from './schema.ts'

describe('examineHost', () => {
  test('gives what its JSON Schema promises, whatever was found', async () => {
    const right = await examine(null)
    const wrong = await examine(null, {
      options: { hostname: 'nowhere.example.org', doctor: { domain: 'nowhere.test' } },
    })
    for (const report of [right, wrong]) {
      expect(problemsOf(JSON.stringify(report))).toEqual([])
      expect(problemsOf(JSON.stringify({ ...report, further: 1 }))).not.toEqual([])
      expect(problemsOf(JSON.stringify({ ...report, verdict: 'well' }))).not.toEqual([])
    }
    expect(problemsOf(JSON.stringify({ interrupted: true, results: right.results }))).toEqual([])
  })

  test('behind address translation, whatever hangs on the address says how to tell it', async () => {
    const { results } = await examine(null, {
      examination: { addresses: [] },
      options: { sourceAddresses: ['192.168.1.5'] },
    })
    const hints = ['source-address', 'ehlo-name', 'reverse-dns', 'spf', 'block-list'].map((name) => {
      const found = results.find(({ check, status }) => check === name && status === 'cannot-tell')
      return [name, found?.remedies.some(({ text, paste }) => `${text} ${paste}`.includes('--address'))]
    })
    expect(hints).toEqual(hints.map(([name]) => [name, true]))
    expect(results.find(({ code }) => code === 'address-translated')?.summary).toMatch(/\(NAT\)/)
  })

  test('the schema names every check', () => {
    expect(checkNames).toEqual(checks.map(({ name }) => name))
  })

  test('tells each result in the order of the list, as the report has them', async () => {
    const told: CheckResult[] = []
    const { results } = await examine(null, {
      examination: { addresses: [ip4], onResult: (result) => told.push(result) },
    })
    expect(told).toEqual(results)
    const order = results.map(({ check }) => checks.findIndex(({ name }) => name === check))
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  test('a check that breaks cannot tell, and the others go on', async () => {
    const broken = defineCheck({
      name: 'node',
      title: 'Broken',
      observe: () => Promise.reject(new Error('no such thing')),
      judge: () => [],
    })
    const sound = defineCheck({
      name: 'clock',
      title: 'Sound',
      observe: async () => 1,
      judge: () => [ok({ code: 'sound', summary: 'Sound.' })],
    })
    const { results, verdict } = await examine(null, {
      examination: { addresses: [ip4], checks: [broken, sound] },
    })
    expect(results.map(({ title, code, summary }) => [title, code, summary])).toEqual([
      ['Broken', 'check-failed', 'The check itself failed: no such thing'],
      ['Sound', 'sound', 'Sound.'],
    ])
    expect(verdict).toBe('doubtful')
  })

  test('an abort ends it with the signal’s reason', async () => {
    const stop = new AbortController()
    const begun = Promise.withResolvers<void>()
    // As a library does that takes the end of its lookups for their result.
    const lost = defineCheck({
      name: 'clock',
      title: 'Lost',
      observe: ({ signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(null))),
      judge: () => [ok({ code: 'lost', summary: 'Not worth telling.' })],
    })
    const waiting = defineCheck({
      name: 'node',
      title: 'Waiting',
      observe: ({ signal }) => {
        begun.resolve()
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
      judge: () => [],
    })
    const onResult = vi.fn()
    const running = examine(null, { examination: { signal: stop.signal, checks: [lost, waiting], onResult } })
    const reason = new Error('enough')
    await begun.promise
    stop.abort(reason)
    await expect(running).rejects.toBe(reason)
    expect(onResult).not.toHaveBeenCalled()
  })

  test('the domain is the configured one, else the one that is signed for, else the one that the name lies in', async () => {
    const domainOf = async (further: typeof options) => (await examine('node', { options: further })).domain
    expect(await domainOf({})).toBe('example.org')
    expect(await domainOf({ hostname: 'example.org' })).toBe('example.org')
    expect(await domainOf({ hostname: 'mx.mail.example.org' })).toBe('example.org')
    expect(await domainOf({ hostname: 'example.co.uk' })).toBe('example.co.uk')
    expect(await domainOf({ hostname: 'mail.example.co.uk' })).toBe('example.co.uk')
    const dkim = { 'example.net': { selector: 'a', keyFile: '/nowhere' } }
    expect(await domainOf({ dkim })).toBe('example.net')
    expect(await domainOf({ dkim, doctor: { domain: 'example.com' } })).toBe('example.com')
  })

  test('without a domain there is nothing to examine', async () => {
    await expect(examineHost({ ...options, hostname: '[192.0.2.1]' })).rejects.toThrow(ConfigError)
  })

  test('an address that is none is a wrong option', async () => {
    await expect(examineHost(options, { addresses: ['mail.example.org'] })).rejects.toThrow(
      'Expected an IP address of ours, got `mail.example.org`',
    )
  })
})
