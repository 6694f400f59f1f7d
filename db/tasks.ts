// Things to be done, each with a status of a closed set.

import { and, eq, sql } from 'drizzle-orm';
import { optionalId, optionalMoment, requireId, requireObject, requireOneOf, requireText } from './arguments.ts';
import type { Page } from './cursor.ts';
import { db } from './database.ts';
import { textLimits } from './limits.ts';
import {
  type ArrayArguments,
  afterCursor,
  type ListArguments,
  newestFirst,
  readArray,
  readPage,
} from './newest-first.ts';
import { idTaken, named, repeatable, userMissing } from './outcome.ts';
import { type Task, tasks } from './schema.ts';
import { type TaskStatus, taskStatuses } from './task-status.ts';
import { uuidv7 } from './uuid.ts';

const ofUser = eq(tasks.userId, sql.placeholder('userId'));
const oneOfUser = and(eq(tasks.id, sql.placeholder('id')), ofUser);

const insertTask = db
  .insert(tasks)
  .values({
    id: sql.placeholder('id'),
    userId: sql.placeholder('userId'),
    description: sql.placeholder('description'),
    dueAt: sql`${sql.placeholder('dueAt')}::timestamptz`,
  })
  .onConflictDoNothing()
  .returning()
  .prepare('task_insert');
const one = db.select().from(tasks).where(oneOfUser).prepare('task_by_id');
const allOfUser = db
  .select()
  .from(tasks)
  .where(ofUser)
  .orderBy(...newestFirst(tasks))
  .limit(sql.placeholder('limit'))
  .offset(sql.placeholder('offset'))
  .prepare('tasks_of_user');
const firstPage = db
  .select()
  .from(tasks)
  .where(ofUser)
  .orderBy(...newestFirst(tasks))
  .limit(sql.placeholder('limit'))
  .prepare('tasks_first_page');
const nextPage = db
  .select()
  .from(tasks)
  .where(and(ofUser, afterCursor(tasks)))
  .orderBy(...newestFirst(tasks))
  .limit(sql.placeholder('limit'))
  .prepare('tasks_next_page');
const givenStatus = sql`coalesce(${sql.placeholder('status')}::text, ${tasks.status})`;
/** Changes what is given: null leaves a description or status as it is, a due date has a flag of its own. */
const changeTask = db
  .update(tasks)
  .set({
    description: sql`coalesce(${sql.placeholder('description')}::text, ${tasks.description})`,
    status: givenStatus,
    statusChangedAt: sql`case when ${tasks.status} = ${givenStatus} then ${tasks.statusChangedAt} else now() end`,
    dueAt: sql`case
      when ${sql.placeholder('changesDueAt')}::boolean then ${sql.placeholder('dueAt')}::timestamptz
      else ${tasks.dueAt}
    end`,
    updatedAt: sql`now()`,
  })
  .where(oneOfUser)
  .returning()
  .prepare('task_update');
const removeTask = db.delete(tasks).where(oneOfUser).returning().prepare('task_delete');

/**
 * Adds a task with the status `pending`.
 * @param id of the new row; makes it safe to repeat a call whose outcome is unknown
 * @throws NotFoundError USER_NOT_FOUND; ConflictError ID_TAKEN when the id is that of another task
 * @throws InvalidArgumentError INVALID_TEXT (1 to 10,000 characters), INVALID_DATE
 * @example const [task] = await addTask({ userId, description: 'Renew the passport' });
 */
export async function addTask(args: {
  userId: string;
  description: string;
  dueAt?: Date | null;
  id?: string;
}): Promise<Task[]> {
  const { userId, description, dueAt, id } = requireObject('addTask', args);
  const values = {
    id: optionalId('id', id) ?? uuidv7(),
    userId: requireId('userId', userId),
    description: requireText('description', description, { max: textLimits.taskDescription }),
    dueAt: optionalMoment('dueAt', dueAt) ?? null,
  };
  return repeatable({ id: values.id }, async () => {
    const written = await named(insertTask.execute(values), userMissing);
    if (written.length > 0) return written;
    const existing = await one.execute(values);
    const isSame = existing.some((row) => row.description === values.description && dueText(row) === values.dueAt);
    if (!isSame) throw idTaken('id');
    return existing;
  });
}

function dueText({ dueAt }: Task): string | null {
  return dueAt?.toISOString() ?? null;
}

/** A user's tasks, newest first. */
export async function getTasksByUserId(args: ArrayArguments): Promise<Task[]> {
  return readArray(allOfUser, requireObject('getTasksByUserId', args));
}

/** A page of a user's tasks, newest first. */
export async function listTasks(args: ListArguments): Promise<Page<Task>> {
  return readPage('tasks', requireObject('listTasks', args), firstPage, nextPage);
}

/**
 * Changes what is given of a task; `dueAt: null` takes the date away. What stays equal keeps its time of change.
 * @returns the row written, `[]` when it is not there
 * @throws InvalidArgumentError INVALID_STATUS, INVALID_TEXT, INVALID_DATE
 */
export async function updateTask(args: {
  id: string;
  userId: string;
  description?: string;
  status?: TaskStatus;
  dueAt?: Date | null;
}): Promise<Task[]> {
  const { id, userId, description, status, dueAt } = requireObject('updateTask', args);
  const key = { id: requireId('id', id), userId: requireId('userId', userId) };
  const values = {
    ...key,
    description:
      description === undefined ? null : requireText('description', description, { max: textLimits.taskDescription }),
    status: status === undefined ? null : requireOneOf('status', status, taskStatuses, 'INVALID_STATUS'),
    changesDueAt: dueAt !== undefined,
    dueAt: optionalMoment('dueAt', dueAt) ?? null,
  };
  const changesNothing = description === undefined && status === undefined && dueAt === undefined;
  return (changesNothing ? one : changeTask).execute(values);
}

/** Sets a task's status. @returns the row written, `[]` when it is not there */
export async function updateTaskStatus(args: { id: string; userId: string; status: string }): Promise<Task[]> {
  const { id, userId, status } = requireObject('updateTaskStatus', args);
  return updateTask({ id, userId, status: requireOneOf('status', status, taskStatuses, 'INVALID_STATUS') });
}

/** Sets a task's description. @returns the row written, `[]` when it is not there */
export async function updateTaskDescription(args: {
  id: string;
  userId: string;
  description: string;
}): Promise<Task[]> {
  const { id, userId, description } = requireObject('updateTaskDescription', args);
  return updateTask({
    id,
    userId,
    description: requireText('description', description, { max: textLimits.taskDescription }),
  });
}

/** Deletes a task. @returns the row deleted, `[]` when it was not there */
export async function deleteTaskById(args: { id: string; userId: string }): Promise<Task[]> {
  const { id, userId } = requireObject('deleteTaskById', args);
  return removeTask.execute({ id: requireId('id', id), userId: requireId('userId', userId) });
}
