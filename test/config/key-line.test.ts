import { expect, test } from 'vitest'
import { findKeyLine } from '../../src/config/key-line.ts'

const toml = `# hostname = "commented.out"
hostname = "a.test"
sourceAddresses = [
  "192.0.2.1",
  # a comment
  "eth0",
]
dns.timeout = "5s"
timeouts = { connect = "1s", mail = "x" }

text = """
port = 3
"""
[smtp]
# port = 1

port = 0
[routes]
"example.org" = "x"
  [ delivery ]
  perSite = 0
`

test.each<[(string | number)[], number | null]>([
  [['hostname'], 2],
  [['sourceAddresses'], 3],
  [['sourceAddresses', 1], 3],
  [['dns', 'timeout'], 8],
  [['timeouts', 'mail'], 9],
  [['smtp'], 14],
  [['smtp', 'port'], 17],
  [['routes', 'example.org'], 19],
  [['delivery'], 20],
  [['delivery', 'perSite'], 21],
  [['delivery', 'missing'], 20],
  [['missing'], null],
  [[], null],
])('%j', (path, line) => {
  expect(findKeyLine(toml, path)).toBe(line)
  expect(findKeyLine(toml.replaceAll('\n', '\r\n'), path)).toBe(line)
})
