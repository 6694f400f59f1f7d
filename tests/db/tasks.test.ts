import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { encodeCursor } from '../../db/cursor.ts';
import {
  addTask,
  db,
  deleteTaskById,
  getTasksByUserId,
  listTasks,
  updateTask,
  updateTaskDescription,
  updateTaskStatus,
} from '../../db/queries.ts';
import { type Task, tasks } from '../../db/schema.ts';
import { type TaskStatus, taskStatuses } from '../../db/task-status.ts';
import { readPages } from './pages.ts';
import { newRecorder } from './recorder.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });

const longAgo = new Date('2020-01-01T00:00:00Z');

/** A task of a user, of long ago, so that every change of a time can be seen. */
async function newTask(userId: string, description = 'Renew the passport'): Promise<Task> {
  const [added] = await addTask({ userId, description });
  const times = { createdAt: longAgo, updatedAt: longAgo, statusChangedAt: longAgo };
  await db
    .update(tasks)
    .set(times)
    .where(eq(tasks.id, added?.id ?? ''));
  return { ...(added as Task), ...times };
}

test('a task comes back as it was added, pending', async () => {
  const userId = await newUser();
  const dueAt = new Date('2031-05-06T07:08:09.123Z');
  const added = await addTask({ userId, description: 'לחדש דרכון 🛂', dueAt });
  const moment = expect.any(Date);
  expect(added).toEqual([
    {
      id: expect.any(String),
      userId,
      description: 'לחדש דרכון 🛂',
      status: 'pending',
      dueAt,
      createdAt: moment,
      updatedAt: moment,
      statusChangedAt: moment,
    },
  ]);
  expect(await getTasksByUserId({ userId })).toEqual(added);
});

test('a due date may be missing, null, or as far off as a Date is read back', async () => {
  const userId = await newUser();
  const dates = [undefined, null, new Date('0100-01-01T00:00:00Z'), new Date('9999-12-31T23:59:59.999Z')];
  for (const dueAt of dates) {
    const [added] = await addTask({ userId, description: 'x', ...(dueAt === undefined ? {} : { dueAt }) });
    expect(added?.dueAt).toEqual(dueAt ?? null);
  }
});

test('the same id again returns the row there is, and is refused for another task', async () => {
  const [userId, other] = [await newUser(), await newUser()];
  const id = randomUUID();
  const dueAt = new Date('2031-05-06T07:08:09.123Z');
  const added = await addTask({ id, userId, description: 'once', dueAt });
  expect(await addTask({ id: id.toUpperCase(), userId, description: 'once', dueAt })).toEqual(added);
  const others = [
    { id, userId, description: 'twice', dueAt },
    { id, userId, description: 'once' },
    { id, userId: other, description: 'once', dueAt },
  ];
  for (const args of others) await expect(addTask(args)).rejects.toMatchObject({ code: 'ID_TAKEN' });
  expect(await getTasksByUserId({ userId })).toEqual(added);
  expect(await getTasksByUserId({ userId: other })).toEqual([]);
});

test('ten calls at once with one id add one task', async () => {
  const userId = await newUser();
  const id = randomUUID();
  const rows = await Promise.all(Array.from({ length: 10 }, () => addTask({ id, userId, description: 'once' })));
  expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(1);
  expect(await getTasksByUserId({ userId })).toHaveLength(1);
});

test('tasks come newest first, those of one moment by id, with limit and offset', async () => {
  const userId = await newUser();
  for (let i = 0; i < 6; i += 1) await addTask({ userId, description: `${i}` });
  await db.update(tasks).set({ createdAt: longAgo }).where(eq(tasks.userId, userId));
  await addTask({ userId, description: 'newest' });
  const all = await getTasksByUserId({ userId });
  expect(all.map(({ description }) => description)).toEqual(['newest', '5', '4', '3', '2', '1', '0']);
  expect(await getTasksByUserId({ userId, limit: 2 })).toEqual(all.slice(0, 2));
  expect(await getTasksByUserId({ userId, limit: 2, offset: 5 })).toEqual(all.slice(5));
  expect(await getTasksByUserId({ userId, offset: 7 })).toEqual([]);
});

test('pages have no gap and no repeat while others write and delete', async () => {
  const userId = await newUser();
  for (let i = 0; i < 25; i += 1) await addTask({ userId, description: `${i}` });
  // All in one moment: only the id orders them.
  await db.update(tasks).set({ createdAt: longAgo }).where(eq(tasks.userId, userId));
  const before = await getTasksByUserId({ userId });
  const seen = await readPages(
    (cursor) => listTasks({ userId, limit: 10, cursor }),
    async ({ items }) => {
      await addTask({ userId, description: 'while reading' });
      await deleteTaskById({ id: items.at(-1)?.id ?? '', userId });
    },
  );
  expect(seen).toEqual(before);
});

test('a page says whether there is another', async () => {
  const userId = await newUser();
  expect(await listTasks({ userId })).toEqual({ items: [], nextCursor: null });
  for (let i = 0; i < 21; i += 1) await addTask({ userId, description: `${i}` });
  const first = await listTasks({ userId });
  expect(first.items).toHaveLength(20);
  expect(first.nextCursor).toEqual(expect.any(String));
  const second = await listTasks({ userId, cursor: first.nextCursor });
  expect(second.items.map(({ description }) => description)).toEqual(['0']);
  expect(second.nextCursor).toBeNull();
  expect((await listTasks({ userId, limit: 21 })).nextCursor).toBeNull();
});

test('a limit, offset or cursor that cannot be is refused by name', async () => {
  const userId = await newUser();
  for (const limit of [0, -1, 1.5, Number.NaN, 1001, '5', null]) {
    await recorder.expectRefused(() => listTasks({ userId, limit: limit as number }), 'INVALID_LIMIT', 'limit');
  }
  await recorder.expectRefused(() => getTasksByUserId({ userId, limit: 10_001 }), 'INVALID_LIMIT', 'limit');
  await recorder.expectRefused(() => getTasksByUserId({ userId, offset: -1 }), 'INVALID_LIMIT', 'offset');
  for (const cursor of ['', 'x', 'a'.repeat(1000), 7]) {
    await recorder.expectRefused(() => listTasks({ userId, cursor: cursor as string }), 'INVALID_CURSOR', 'cursor');
  }
});

test('a cursor that was made by somebody else is refused by name', async () => {
  const userId = await newUser();
  const id = randomUUID();
  const wrong = [
    [],
    [0],
    [0, 7],
    [0, 'x'],
    [0, '-'.repeat(36)],
    [0.5, id],
    ['0', id],
    [0, id, 0],
    [-1e14, id],
    [1e15, id],
  ];
  for (const keys of wrong as (string | number)[][]) {
    const cursor = encodeCursor('tasks', keys);
    await recorder.expectRefused(() => listTasks({ userId, cursor }), 'INVALID_CURSOR', 'cursor');
  }
  expect(await listTasks({ userId, cursor: encodeCursor('tasks', [0, id]) })).toEqual({ items: [], nextCursor: null });
});

describe('a change', () => {
  test('of the status sets both times, and of the same status only that of the update', async () => {
    const userId = await newUser();
    const task = await newTask(userId);
    const [same] = await updateTaskStatus({ id: task.id, userId, status: 'pending' });
    expect(same).toEqual({ ...task, updatedAt: expect.any(Date) });
    expect(same?.updatedAt.getTime()).toBeGreaterThan(longAgo.getTime());
    const [done] = await updateTaskStatus({ id: task.id, userId, status: 'completed' });
    expect(done).toMatchObject({ status: 'completed', createdAt: longAgo });
    expect(done?.statusChangedAt).toEqual(done?.updatedAt);
    const [again] = await updateTask({ id: task.id, userId, status: 'completed', description: 'also this' });
    expect(again).toMatchObject({ description: 'also this', statusChangedAt: done?.statusChangedAt });
  });

  test('of the description or the due date leaves the rest', async () => {
    const userId = await newUser();
    const task = await newTask(userId);
    const moment = expect.any(Date);
    const [described] = await updateTaskDescription({ id: task.id, userId, description: 'Visa' });
    expect(described).toEqual({ ...task, description: 'Visa', updatedAt: moment });
    const dueAt = new Date('2031-05-06T07:08:09.123Z');
    expect(await updateTask({ id: task.id, userId, dueAt })).toEqual([
      { ...task, description: 'Visa', dueAt, updatedAt: moment },
    ]);
    expect(await updateTask({ id: task.id, userId, dueAt: null })).toEqual([
      { ...task, description: 'Visa', updatedAt: moment },
    ]);
  });

  test('of nothing returns the row and keeps its times', async () => {
    const userId = await newUser();
    const task = await newTask(userId);
    expect(await updateTask({ id: task.id, userId })).toEqual([task]);
  });

  test('to each status of the closed set is possible, to any other refused by name', async () => {
    const userId = await newUser();
    const { id } = await newTask(userId);
    for (const status of taskStatuses) {
      expect(await updateTaskStatus({ id, userId, status })).toMatchObject([{ status }]);
    }
    for (const status of ['done', 'Pending', '', null, 7]) {
      const wrong = status as TaskStatus;
      await recorder.expectRefused(() => updateTaskStatus({ id, userId, status: wrong }), 'INVALID_STATUS', 'status');
      await recorder.expectRefused(() => updateTask({ id, userId, status: wrong }), 'INVALID_STATUS', 'status');
    }
  });

  test('or a deletion of a stranger finds nothing, and says truly whether a row was there', async () => {
    const [userId, stranger] = [await newUser(), await newUser()];
    const task = await newTask(userId);
    const { id } = task;
    expect(await updateTask({ id, userId: stranger, description: 'stolen' })).toEqual([]);
    expect(await updateTask({ id, userId: stranger })).toEqual([]);
    expect(await updateTaskStatus({ id, userId: stranger, status: 'completed' })).toEqual([]);
    expect(await updateTaskDescription({ id, userId: stranger, description: 'stolen' })).toEqual([]);
    expect(await deleteTaskById({ id, userId: stranger })).toEqual([]);
    expect(await getTasksByUserId({ userId: stranger })).toEqual([]);
    expect(await getTasksByUserId({ userId })).toEqual([task]);
    expect(await deleteTaskById({ id, userId })).toEqual([task]);
    expect(await deleteTaskById({ id, userId })).toEqual([]);
    expect(await updateTaskStatus({ id, userId, status: 'completed' })).toEqual([]);
  });
});

test('a description holds 10,000 characters of any kind, and one more is refused before a statement is sent', async () => {
  const userId = await newUser();
  for (const character of ['x', 'é', '🍵', '👩🏽‍🚀']) {
    const points = [...character].length;
    const longest = character.repeat(Math.floor(10_000 / points));
    const [added] = await addTask({ userId, description: longest });
    expect(added?.description).toBe(longest);
    const tooLong = `${longest}${'x'.repeat(10_001 - [...longest].length)}`;
    await recorder.expectRefused(() => addTask({ userId, description: tooLong }), 'INVALID_TEXT', 'description');
    const change = { id: added?.id ?? '', userId, description: tooLong };
    await recorder.expectRefused(() => updateTaskDescription(change), 'INVALID_TEXT', 'description');
    await recorder.expectRefused(() => updateTask(change), 'INVALID_TEXT', 'description');
  }
  await recorder.expectRefused(() => addTask({ userId, description: '' }), 'INVALID_TEXT', 'description');
});

test('what text cannot hold becomes U+FFFD', async () => {
  const userId = await newUser();
  const [added] = await addTask({ userId, description: 'a\0b\uD83Cc\uDF75d🍵' });
  expect(added?.description).toBe('a\uFFFDb\uFFFDc\uFFFDd🍵');
  const [changed] = await updateTaskDescription({ id: added?.id ?? '', userId, description: '\0' });
  expect(changed?.description).toBe('\uFFFD');
});

test('a due date that cannot be is refused by name', async () => {
  const userId = await newUser();
  const { id } = await newTask(userId);
  for (const dueAt of [new Date('x'), new Date('0099-12-31'), new Date('+010000-01-01'), '2031-05-06', 0]) {
    const wrong = dueAt as Date;
    await recorder.expectRefused(() => addTask({ userId, description: 'x', dueAt: wrong }), 'INVALID_DATE', 'dueAt');
    await recorder.expectRefused(() => updateTask({ id, userId, dueAt: wrong }), 'INVALID_DATE', 'dueAt');
  }
});

test('an argument that is undefined or no id is refused by name', async () => {
  const [userId, id] = [await newUser(), randomUUID()];
  const none = undefined as unknown as string;
  const calls: [string, () => Promise<unknown>][] = [
    ['userId', () => addTask({ userId: none, description: 'x' })],
    ['description', () => addTask({ userId, description: none })],
    ['userId', () => getTasksByUserId({ userId: none })],
    ['userId', () => listTasks({ userId: none })],
    ['id', () => updateTask({ id: none, userId })],
    ['userId', () => updateTask({ id, userId: none })],
    ['status', () => updateTaskStatus({ id, userId, status: none })],
    ['description', () => updateTaskDescription({ id, userId, description: none })],
    ['id', () => deleteTaskById({ id: none, userId })],
    ['userId', () => deleteTaskById({ id, userId: none })],
  ];
  for (const [argument, call] of calls) await recorder.expectRefused(call, 'MISSING_ARGUMENT', argument);
  await recorder.expectRefused(() => deleteTaskById({ id: '7', userId }), 'INVALID_ID', 'id');
  await recorder.expectRefused(() => addTask({ userId, description: 'x', id: '7' }), 'INVALID_ID', 'id');
});

test('a task of nobody is refused', async () => {
  const lost = addTask({ userId: randomUUID(), description: 'x' });
  await expect(lost).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
});
