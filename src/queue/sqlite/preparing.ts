/** Submissions on their way to the thread. One rule: contents are read, and large ones on disk, before their rows are asked for. */
import type { Submission } from '../store.ts'
import type { PreparedSubmission } from './adding.ts'
import type { Contents } from './contents.ts'

/** Reads the content. @throws what `Contents.store` throws */
export async function prepare(submission: Submission, contents: Contents): Promise<PreparedSubmission> {
  const { message, createdAt } = submission
  return {
    messageId: message.messageId,
    size: message.size,
    requires: [...message.requires],
    content: await contents.store(message),
    reversePath: submission.reversePath,
    recipients: submission.recipients,
    envid: submission.envid ?? null,
    ret: submission.ret ?? null,
    createdAt,
    dueAt: submission.dueAt ?? createdAt,
    expiresAt: submission.expiresAt,
    warnAt: submission.warnAt ?? null,
    idempotencyKey: submission.idempotencyKey ?? null,
  }
}

/** What the thread may take over instead of a copy. */
export function memoryOf(submissions: readonly PreparedSubmission[]): ArrayBuffer[] {
  return submissions.flatMap(({ content }) =>
    'octets' in content ? (content.octets.buffer as ArrayBuffer) : [],
  )
}

/** What is to be removed when there will be no rows. */
export function filesOf(submissions: readonly PreparedSubmission[]): string[] {
  return submissions.flatMap(({ content }) => ('file' in content ? content.file : []))
}
