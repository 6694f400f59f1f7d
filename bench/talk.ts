// What the benches say: messages of an ordinary length, different ones each time.

export interface TalkMessage {
  id: string;
  role: 'user' | 'assistant';
  parts: { type: 'text'; text: string }[];
}

const words = 'book a flight to the coast in may with a window seat and one bag please tell me what it costs'.split(
  ' ',
);

/** The message at a position: 200 characters of the user, 1,200 of the assistant. */
export function messageAt(position: number): TalkMessage {
  const role = position % 2 === 0 ? 'user' : 'assistant';
  const length = role === 'user' ? 200 : 1200;
  let text = `${position}:`;
  for (let i = position; text.length < length; i += 1) text += ` ${words[i % words.length]}`;
  return { id: `message-${position}`, role, parts: [{ type: 'text', text: text.slice(0, length) }] };
}

export function talkOf(length: number): TalkMessage[] {
  return Array.from({ length }, (_, position) => messageAt(position));
}
