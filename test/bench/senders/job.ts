/** What a sender's process is told. */
import type { Workload } from '../workload.ts'

export interface SenderJob extends Workload {
  /** The sink's port on 127.0.0.1. */
  readonly port: number
  /** A folder for what the sender writes; removed afterwards. */
  readonly directory: string
  /** The package to send with, where there are several. */
  readonly package?: string
  /** Options of Node for the sender's process; default: none, as most programs run. */
  readonly nodeOptions?: readonly string[]
}
