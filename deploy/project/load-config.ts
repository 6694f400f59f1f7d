// Loads configuration and schema files, TypeScript or not, in a process of its own: what they print, what they set in the
// environment and how they end stays there, and they run in the project's folder. Nothing of this process changes, and
// jiti is loaded there alone. Says why a file can't be loaded, never with a connection string or a password.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { configUnreadable } from '../errors.ts';

export interface LoadOptions {
  /** The folder to run in, as drizzle-kit is: its `.env` is read too, for what is not set otherwise. */
  folder: string;
  /** Variables that the files see where the process does not have them. */
  env?: Readonly<Record<string, string | undefined>>;
}

/** What the other process says, in JSON. */
interface Answer {
  /** What each file exports, in the order of the files, up to the first that can't be loaded. */
  exported: { kind: string; value: unknown }[];
  /** Why the next file could not be loaded. */
  reason?: string;
  /** Values of its environment that no message may have. */
  secrets: string[];
}

/** How long a file may take; one that waits for ever is ended. */
const loadMs = 30_000;

/**
 * What runs apart. It must be JavaScript that Node takes as it is, in a checkout as in the package. The answer is
 * written when the process ends, because a configuration may end it: `if (!url) process.exit(1)`.
 */
const script = `
  const { readFileSync, writeSync } = require('node:fs');
  const { text } = require('node:stream/consumers');
  const { parseEnv } = require('node:util');
  const exported = [];
  let reason;
  let printed = '';
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = (chunk, ...rest) => {
      printed += chunk;
      const done = rest.at(-1);
      if (typeof done === 'function') done();
      return true;
    };
  }
  process.on('exit', (code) => {
    const secrets = Object.entries(process.env)
      .filter(([name]) => /url|uri|dsn|pass|pw|secret|key|token|cred|conn/i.test(name))
      .map(([, value]) => value);
    const said = printed.trim().split('\\n').at(-1);
    if (code !== 0) reason ??= \`it ended with exit code \${code}\${said === '' ? '' : \`: \${said}\`}\`;
    writeSync(3, JSON.stringify({ exported, reason, secrets }));
  });
  function addVariables(variables) {
    for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
  }
  function dotEnv() {
    try {
      return parseEnv(readFileSync('.env', 'utf8'));
    } catch {
      return {};
    }
  }
  function loaderFor(file) {
    const { createJiti } = require(process.argv[1]);
    const options = { fsCache: false };
    try {
      return createJiti(file, { ...options, tsconfigPaths: true });
    } catch {
      return createJiti(file, options); // a tsconfig that extends what is not installed
    }
  }
  function readJson(file) {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      throw error instanceof SyntaxError ? new Error('it is not JSON') : error; // which would quote the file
    }
  }
  async function loadConfig(file) {
    const value = file.endsWith('.json') ? readJson(file) : await loaderFor(file).import(file, { default: true });
    const kind = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
    return { kind, value: kind === 'object' ? JSON.parse(JSON.stringify(value)) : undefined };
  }
  // By the marks that Drizzle's tables and views have, of whichever version they are.
  function relationOf(value) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return [];
    const view = value[Symbol.for('drizzle:ViewBaseConfig')];
    if (view) return [{ schema: view.schema, name: view.name, columns: columnsOf(view.selectedFields) }];
    if (!value[Symbol.for('drizzle:IsDrizzleTable')]) return [];
    const [schema, name, columns] = ['Schema', 'Name', 'Columns'].map((one) => value[Symbol.for('drizzle:' + one)]);
    return [{ schema, name, columns: columnsOf(columns) }];
  }
  function columnsOf(fields) {
    return Object.values(fields ?? {})
      .filter((field) => typeof field?.name === 'string')
      .map(({ name, keyAsName = false, notNull = false }) => ({ name, isNamedByKey: keyAsName, isNotNull: notNull }));
  }
  async function loadRelations(file) {
    const module = await loaderFor(file).import(file);
    return { kind: 'object', value: { relations: Object.values(module).flatMap(relationOf) } };
  }
  async function main() {
    const { files, env, what } = JSON.parse(await text(process.stdin));
    addVariables(env);
    addVariables(dotEnv());
    const load = what === 'relations' ? loadRelations : loadConfig;
    for (const file of files) exported.push(await load(file));
  }
  main().then(
    () => process.exit(0),
    (error) => {
      reason = String(error?.message ?? error);
      process.exit(0);
    },
  );
`;

/**
 * The objects that files export: the default export, or all of it where there is none, as drizzle-kit takes it.
 * @returns one for each file, as JSON keeps it: what is undefined, or a function, is not there
 * @throws DeployError CONFIG_UNREADABLE with the file and the reason in one line
 * @example const [config] = await loadConfigs(['/app/drizzle.config.ts'], { folder: '/app' });
 */
export function loadConfigs(files: readonly string[], options: LoadOptions): Promise<Record<string, unknown>[]> {
  return load(files, 'configs', options);
}

/** A table or view as a schema file has it. */
export interface DrizzleRelation {
  schema?: string;
  name: string;
  /** A column that has no name of its own is named by its key, in the casing of the configuration. */
  columns: { name: string; isNamedByKey: boolean; isNotNull: boolean }[];
}

/**
 * The tables and views that schema files export.
 * @throws DeployError CONFIG_UNREADABLE with the file and the reason in one line
 */
export async function loadRelations(files: readonly string[], options: LoadOptions): Promise<DrizzleRelation[]> {
  const exported = await load(files, 'relations', options);
  return exported.flatMap(({ relations }) => relations as DrizzleRelation[]);
}

async function load(
  files: readonly string[],
  what: 'configs' | 'relations',
  { folder, env = {} }: LoadOptions,
): Promise<Record<string, unknown>[]> {
  const { exported, reason, secrets } = await askApart(JSON.stringify({ files, env, what }), folder);
  const failed = files[exported.length];
  if (failed !== undefined) throw configUnreadable(failed, inOneLine(reason ?? 'it ended before its end', secrets));
  return exported.map(({ kind, value }, index) => {
    if (kind === 'object') return value as Record<string, unknown>;
    throw configUnreadable(files[index] ?? '', `it exports ${article(kind)}; one object is what drizzle-kit takes`);
  });
}

async function askApart(question: string, folder: string): Promise<Answer> {
  const jiti = createRequire(import.meta.url).resolve('jiti');
  const child = spawn(process.execPath, ['--input-type=commonjs', '-e', script, jiti], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    timeout: loadMs,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<void>((resolve, reject) => child.once('error', reject).once('close', () => resolve()));
  child.stdin?.on('error', () => {}); // it ended without reading: what it says counts, or that it says nothing
  child.stdin?.end(question);
  const [answer] = await Promise.all([text(child.stdio[3] as NodeJS.ReadableStream), ended]);
  if (answer !== '') return JSON.parse(answer) as Answer;
  return { exported: [], reason: `it did not end within ${loadMs / 1000} s, or was killed`, secrets: [] };
}

/** A loader's message without its stack, and without what is secret. */
function inOneLine(reason: string, secrets: readonly string[]): string {
  const [message = ''] = reason.split(/\s*Require stack:/);
  let line = message.replaceAll(/\b[a-z][a-z0-9+.-]*:\/\/\S*@\S*/gi, '…');
  const hidden = secrets.flatMap((secret) => [secret, ...passwordIn(secret)]).filter(({ length }) => length >= 4);
  for (const secret of hidden.sort((a, b) => b.length - a.length)) line = line.replaceAll(secret, '…');
  return line.replaceAll(/\s+/g, ' ').trim().slice(0, 300);
}

function passwordIn(secret: string): string[] {
  if (!URL.canParse(secret)) return [];
  const { password } = new URL(secret);
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password]; // a % that encodes nothing
  }
}

function article(kind: string): string {
  if (kind === 'null' || kind === 'undefined') return 'nothing';
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}
