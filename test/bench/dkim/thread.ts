/** One of the threads of threads.ts. */
import { type KeyObject, sign } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import type { ThreadReply, ThreadRequest } from './threads.ts'

const key = workerData as KeyObject
const algorithm = key.asymmetricKeyType === 'rsa' ? 'sha256' : null

parentPort?.on('message', ({ id, octets }: ThreadRequest) => {
  parentPort?.postMessage({ id, signature: sign(algorithm, octets, key) } satisfies ThreadReply)
})
