/**
 * What the text of a refusal speaks of. Servers give the same code, and often the same status, to a mailbox that is not
 * there and to a sender that is not wanted; the words are all that tells the two apart.
 *
 * One rule: what the server merely repeats (the address in brackets, host names of ours) speaks of nothing.
 */
import type { Reply } from '../smtp/reply.ts'

/**
 * - `mailbox`: it is not there, or not in use · `full`: no room in it
 * - `greylist`: deferred because we are new · `later`: come again
 * - `us`: our address, name, reputation or sender · `relay`: not responsible for the domain
 * - `trouble`: something of the server's own is broken or busy
 */
export type Topic = 'mailbox' | 'full' | 'greylist' | 'later' | 'us' | 'relay' | 'trouble'

const noun = '(?:users?|mail ?box(?:es)?|recipients?|accounts?|address(?:es)?|alias|addressee|person)'

/** As Postfix, Exim, Sendmail, qmail, Exchange, Google, Yahoo and their like word it. */
const topics: Readonly<Record<Topic, RegExp>> = {
  mailbox: new RegExp(
    [
      `\\b(?:no such|unknown|invalid|non-?existent|inactive|disabled|bad|not? a? ?valid|no) (?:local |destination |recipient |email |e-mail )?${noun}\\b`,
      `\\b${noun}(?: name)?(?: was| is| has been)? (?:unknown|not found|not known|does ?n[o']t exist|doesn't exist|unavailable|invalid|inactive|disabled|suspended|deactivated|closed|not listed|not recognized)`,
      `\\b${noun} (?:[\\w'.-]+ ){0,8}(?:does not exist|doesn't exist|doesn't have)`,
      'unrouteable address|mailbox not available|not our (?:customer|user)|recipient address rejected: access denied|recipient(?: address)? rejected: user',
    ].join('|'),
    'i',
  ),
  full: /over ?quota|over (?:its |his |their )?(?:disk )?quota|quota (?:is |has been )?(?:exceeded|full)|exceed(?:s|ed|ing)? (?:\w+ ){0,3}(?:quota|storage)|(?:mail ?box|inbox|account) (?:is |has )?(?:over )?full|out of storage|storage (?:quota|limit)/i,
  greylist: /gr[ae]y-? ?list|postgrey/i,
  later:
    /(?:try|again|come|retry|wait|back)\b.{0,40}\b(?:later|again|back|in|after|minutes?|seconds?)\b|deferred/i,
  us: /\b(?:spamhaus|spamcop|barracuda|sorbs|dnsbl|rbl|surbl|(?:black|block|deny)-? ?list(?:ed|s|ing)?|blocked|banned|reputation|reverse dns|rdns|ptr|client host|your (?:ip|host|server|network|domain|address|mta)|spf|dmarc|dkim|helo|ehlo|(?:policy|spam|abuse|security) (?:reasons?|violation|restrictions?)|unsolicited|rate ?limit\w*|throttl\w+|too many (?:connections|messages|errors|recipients)|sender (?:address|domain|verify|rejected|denied)|unusual rate)\b/i,
  relay: /\brelay(?:ing)?\b|\bnot (?:a )?local (?:domain|host)\b|not hosted here|rcpthosts/i,
  trouble:
    /local (?:problem|error|configuration)|internal|lookup (?:failure|error)|database|resources|system (?:error|problem|load)|busy|overload|not available|callout|verif(?:y|ication) (?:fail|in progress)/i,
}

/** What the words of a reply speak of; asked topic by topic. */
export function speaksOf(reply: Reply): (topic: Topic) => boolean {
  const text = withoutEchoes(reply.lines.join(' '))
  return (topic) => topics[topic].test(text)
}

/** More than any refusal has to say; keeps the matching of what a hostile server sends short. */
const MAX_TEXT = 2_000

// `<greylisted@blocked.example>`, `greylisted@blocked.example`: a name is no reason.
function withoutEchoes(text: string): string {
  return text
    .slice(0, MAX_TEXT)
    .replace(/<[^<>]{0,320}>/g, ' ')
    .replace(/[^\s<>@]{1,64}@[\w.-]{1,255}/g, ' ')
}
