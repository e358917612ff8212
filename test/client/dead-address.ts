/**
 * An address that does not answer, on loopback: a listening socket whose owner never accepts and whose queue is full, so
 * that the kernel drops every further SYN.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

export interface DeadAddress extends AsyncDisposable {
  readonly address: string
  readonly port: number
}

// The worker's event loop stands still from the moment it listens, so nothing is ever accepted.
const listenAndFreeze = `
const { parentPort, workerData } = require('node:worker_threads')
const server = require('node:net').createServer()
server.listen({ port: 0, host: workerData.address, backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  Atomics.wait(new Int32Array(workerData.thaw), 0, 0)
  process.exit()
})`

/** @param address a loopback address */
export async function deadAddress(address = '127.0.0.1'): Promise<DeadAddress> {
  const thaw = new SharedArrayBuffer(4)
  const worker = new Worker(listenAndFreeze, { eval: true, workerData: { address, thaw } })
  const [port] = (await once(worker, 'message')) as [number]
  // Linux queues one more than asked for.
  const fillers = await Promise.all([fill(address, port), fill(address, port)])
  return {
    address,
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of fillers) socket.destroy()
      Atomics.store(new Int32Array(thaw), 0, 1)
      Atomics.notify(new Int32Array(thaw), 0)
      await worker.terminate()
    },
  }
}

async function fill(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}
