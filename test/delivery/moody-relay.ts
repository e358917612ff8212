/**
 * A relay that refuses, splits, hangs up and goes on after 421 as the dice fall, and keeps a ledger of whom it has taken the
 * message for. One rule: it does nothing that no server does, so that what a client may conclude is always true.
 */
import { ClientGone, type Conversation } from '../support/scripted-conversation.ts'
import { type Answers, ordinary } from '../support/scripted-steps.ts'

/** How often it took the message for each local part. */
export type Ledger = Map<string, number>

/** Numbers from 0 to below 1, the same for the same seed. */
export function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** The script of a server. */
export function moodyRelay(
  roll: () => number,
  { offers, ledger }: { readonly offers: readonly string[]; readonly ledger: Ledger },
): (client: Conversation) => Promise<void> {
  return (client) => ordinary(new Mood(roll, ledger).answers(offers))(client)
}

/** One session's. */
class Mood {
  readonly #roll: () => number
  readonly #ledger: Ledger
  #accepted: string[] = []
  #isBegun = false
  #hasSaidGoodbye = false

  constructor(roll: () => number, ledger: Ledger) {
    this.#roll = roll
    this.#ledger = ledger
  }

  answers(offers: readonly string[]): Answers {
    return {
      offers,
      MAIL: (client) => this.#mail(client),
      RCPT: (client, command) => this.#rcpt(client, /<([^@]*)@/.exec(command)?.[1] ?? ''),
      DATA: (client) => this.#data(client),
      BDAT: (client) =>
        this.#accepted.length === 0 ? client.reply('554 5.5.1 nobody') : this.#content(client),
      RSET: (client) => {
        this.#accepted = []
        return client.reply('250 2.0.0 ok')
      },
    }
  }

  async #mail(client: Conversation): Promise<void> {
    this.#accepted = []
    const mood = this.#roll()
    this.#isBegun = mood >= 0.09
    if (this.#isBegun) return client.reply('250 2.1.0 ok')
    if (mood < 0.01) hangUp(client)
    if (mood < 0.03) return client.reply('530 5.7.0 log in first')
    return client.reply(mood < 0.06 ? '421 4.3.2 bye' : '451 4.3.0 not now')
  }

  async #rcpt(client: Conversation, who: string): Promise<void> {
    if (!this.#isBegun) return client.reply('503 5.5.1 MAIL first')
    const mood = this.#roll()
    if (mood < 0.02) hangUp(client)
    if (mood < 0.05) return this.#goodbye(client)
    if (mood < 0.12) return client.reply('550 5.1.1 unknown')
    if (mood < 0.13) return client.reply('530 5.7.0 log in first')
    if (mood < 0.17) return client.reply('450 4.2.0 later')
    if (mood < 0.27) return client.reply(tooMany[Math.floor(this.#roll() * tooMany.length)] ?? '452 too many')
    this.#accepted.push(who)
    return client.reply('250 2.1.5 ok')
  }

  /** Half of them mean it. */
  async #goodbye(client: Conversation): Promise<void> {
    this.#hasSaidGoodbye = true
    await client.reply('421 4.7.0 try again')
    if (this.#roll() < 0.5) hangUp(client)
  }

  async #data(client: Conversation): Promise<void> {
    if (!this.#isBegun) return client.reply('503 5.5.1 MAIL first')
    const mood = this.#roll()
    if (this.#accepted.length === 0 && mood < 0.7) return client.reply('554 5.5.1 nobody')
    if (mood < 0.03) hangUp(client)
    if (mood < 0.1) return client.reply('451 4.3.0 not now')
    await client.reply('354 go ahead')
    await client.dataContent()
    return this.#content(client)
  }

  async #content(client: Conversation): Promise<void> {
    const mood = this.#roll()
    const taken = this.#accepted.splice(0)
    if (mood < 0.05) return client.reply('451 4.3.0 not now')
    if (mood < 0.08) return client.reply('554 5.7.1 spam')
    const isSilent = mood < 0.14 && !this.#hasSaidGoodbye
    if (isSilent && this.#roll() < 0.5) hangUp(client)
    for (const who of taken) this.#ledger.set(who, (this.#ledger.get(who) ?? 0) + 1)
    if (isSilent) hangUp(client)
    return client.reply('250 2.0.0 taken')
  }
}

const tooMany = ['452 4.5.3 too many', '552 too many', '452 too many', '550 5.5.3 too many']

function hangUp(client: Conversation): never {
  client.close()
  throw new ClientGone()
}
