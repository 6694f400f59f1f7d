// What the benches say: messages of an ordinary length, different ones each time.

export interface TalkMessage {
  id: string;
  role: 'user' | 'assistant';
  parts: { type: 'text'; text: string }[];
}

const syllables = 'ta re min so al ber ki no lu fer an dor esh va pol ti gra mo sen ul ri ka pen sto'.split(' ');

/** A text that is as hard to compress as prose: words come and go, none of them in a pattern. */
function textOf(seed: number, length: number): string {
  let state = seed + 1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let text = `${seed}:`;
  while (text.length < length) {
    text += ' ';
    for (let parts = 1 + next(3); parts > 0; parts -= 1) text += syllables[next(syllables.length)];
  }
  return text.slice(0, length);
}

/** The message at a position: 200 characters of the user, 1,200 of the assistant. */
export function messageAt(position: number): TalkMessage {
  const role = position % 2 === 0 ? 'user' : 'assistant';
  const text = textOf(position, role === 'user' ? 200 : 1200);
  return { id: `message-${position}`, role, parts: [{ type: 'text', text }] };
}

export function talkOf(length: number): TalkMessage[] {
  return Array.from({ length }, (_, position) => messageAt(position));
}

/** The same as LangGraph takes them. */
export function asTexts(messages: readonly TalkMessage[]): { role: string; text: string }[] {
  return messages.map(({ role, parts }) => ({ role, text: parts[0]?.text ?? '' }));
}
