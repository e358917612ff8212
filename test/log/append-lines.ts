/** A process of its own that appends verdicts to a log: `node append-lines.ts FILE NAME COUNT`. */
import { openFileLog } from '../../src/log/file-log.ts'
import { verdict } from './sample-events.ts'

const [file = '', id = '', count = '0'] = process.argv.slice(2)
const log = await openFileLog({ file })
for (let index = 0; index < Number(count); index++) {
  log.write({ ...verdict, id, to: `${index}@example.test` })
  // The file is shared in earnest only if both processes write many times.
  if (index % 50 === 0) await log.flush()
}
await log.close()
