// The closed set of what a task's status can be. Kept apart from the schema so that validation needs no table.

/** Every status a task can have, in the order of its life. */
export const taskStatuses = ['pending', 'in_progress', 'completed', 'cancelled'] as const;

export type TaskStatus = (typeof taskStatuses)[number];
