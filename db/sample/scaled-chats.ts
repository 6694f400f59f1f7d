// The sample's chats, as many as wanted: those of the sample assistant first, then those of its next seeds, for more
// users. As long, about the same and in the same shapes, and the same for the same number. One by one: a million
// messages need no more memory than one chat.

import { type PlannedChat, sampleChats } from './sample-assistant.ts';

export interface ScaledChat extends PlannedChat {
  /** Of the sample's user that this chat's user is a copy of. */
  sampleEmail: string;
}

/**
 * Chats with so many messages in all; the last one is cut short where it would be more. What a smaller number gives is
 * the beginning of what a larger one gives, but for that one.
 * @example for (const chat of scaledChats(1_000_000)) await saveChat({ ...chat, userId, messages: chat.makeMessages() });
 */
export function* scaledChats(messages: number): Generator<ScaledChat, void, void> {
  let left = messages;
  for (let seed = 1; left > 0; seed += 1) {
    for (const chat of sampleChats({ seed })) {
      if (left === 0) return;
      const count = Math.min(chat.messageCount, left);
      const { userEmail, makeMessages } = chat;
      yield {
        ...chat,
        sampleEmail: userEmail,
        userEmail: emailOf(userEmail, seed),
        messageCount: count,
        makeMessages: (): object[] => makeMessages(count),
      };
      left -= count;
    }
  }
}

/** `maya.levi@example.com` is `maya.levi+2@example.com` of the second seed: one person, as mail servers take it. */
function emailOf(email: string, seed: number): string {
  return seed === 1 ? email : email.replace('@', `+${seed}@`);
}
