// What `mytx init` would do with one file. A plan is a list of these, and is made before anything is written.

export type Step = CreateStep | ChangeStep | LeaveStep | RefuseStep;

export interface CreateStep {
  action: 'create';
  /** From the project's folder, with slashes. */
  path: string;
  text: string;
}

export interface ChangeStep {
  action: 'change';
  path: string;
  /** As it was when the plan was made: it is written only if it still is so. */
  before: string;
  text: string;
}

export interface LeaveStep {
  action: 'leave';
  path: string;
  reason: string;
}

/** A file that is in the way: one of them, and nothing at all is written. */
export interface RefuseStep {
  action: 'refuse';
  path: string;
  reason: string;
  /** What to do by hand, a line each. */
  byHand: readonly string[];
}

export type WriteStep = CreateStep | ChangeStep;

export function isWrite(step: Step): step is WriteStep {
  return step.action === 'create' || step.action === 'change';
}
