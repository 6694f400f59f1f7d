// Generated sequences of calls against a model in memory: whatever is done to chats, the database holds what the
// model says, and never anything else. See chat-model.ts for the model, chat-commands.ts for the calls.

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'vitest';
import { chatCommands, type World } from './chat-commands.ts';
import { checkChats, checkReads } from './check-chats.ts';
import { propertyTimeoutMs, runs } from './property-runs.ts';
import { newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();

async function newWorld(): Promise<World> {
  return {
    users: [await newUser(), await newUser()],
    chatIds: [randomUUID(), randomUUID(), randomUUID()],
    chats: new Map(),
    repeatable: new Map(),
  };
}

async function check(world: World): Promise<void> {
  await checkChats(world);
  for (const chat of world.chats.values()) await checkReads(chat);
}

test(
  'after any calls on chats the database holds what the model says',
  async () => {
    let done = 0;
    await fc.assert(
      fc.asyncProperty(chatCommands(check), async (commands) => {
        const world = await newWorld();
        await fc.asyncModelRun(() => ({ model: world, real: undefined }), commands);
        done += 1;
      }),
      runs(150, 1500),
    );
    console.info(`${done} sequences of calls`);
  },
  propertyTimeoutMs,
);
