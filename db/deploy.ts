// mytx-ai/deploy: a schema change of any Drizzle project, from its generation to the databases it goes to. Prints nothing
// and ends no process: what is under way goes to `onEvent`.

export * from './deployment.ts';
export * from './generation.ts';
export * from './linting.ts';
