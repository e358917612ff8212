/**
 * Octets that arrive in pieces of any size, kept in few blocks of memory.
 *
 * One rule: what is held is never more than twice what came and a first block. A piece is an object of some hundred
 * octets beside its own, and may keep a whole read buffer alive; a message of nothing but dotted lines arrives in pieces
 * of four, and 40 MB of it took 1.4 GB as they came.
 */

/** Most messages fit in one. */
const FIRST_BLOCK_OCTETS = 16 * 1024
const LARGEST_BLOCK_OCTETS = 1024 * 1024

/** Collects one message. */
export class OctetBlocks {
  #full: Uint8Array[] = []
  #open = Buffer.alloc(0)
  #used = 0
  #heldOctets = 0

  /** Memory taken for what has been added. */
  get heldOctets(): number {
    return this.#heldOctets
  }

  /** Copies the piece: its own memory is not kept. */
  add(piece: Uint8Array): void {
    for (let from = 0; from < piece.length; ) {
      if (this.#used === this.#open.length) this.#openAnother()
      const taken = Math.min(piece.length - from, this.#open.length - this.#used)
      this.#open.set(piece.subarray(from, from + taken), this.#used)
      this.#used += taken
      from += taken
    }
  }

  /** All of it, in order; nothing is held afterwards. */
  take(): Uint8Array {
    const last = this.#open.subarray(0, this.#used)
    const all = this.#full.length === 0 ? last : Buffer.concat([...this.#full, last])
    this.clear()
    return all
  }

  /** Lets go of everything. */
  clear(): void {
    this.#full = []
    this.#open = Buffer.alloc(0)
    this.#used = 0
    this.#heldOctets = 0
  }

  #openAnother(): void {
    if (this.#used > 0) this.#full.push(this.#open)
    // Doubling what there is, so that a large message has few and a small one little.
    const octets = Math.min(Math.max(this.#heldOctets, FIRST_BLOCK_OCTETS), LARGEST_BLOCK_OCTETS)
    this.#open = Buffer.allocUnsafeSlow(octets)
    this.#used = 0
    this.#heldOctets += octets
  }
}
