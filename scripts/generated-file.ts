// What every generator of this folder shares: writes the files it makes or, with `--check`, compares them with what
// is there and exits 1 naming each file that is out of date and the command that writes it anew.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const projectFolder: string = fileURLToPath(new URL('..', import.meta.url));

/** The text of each generated file, by its path from the project's folder. */
export type GeneratedFiles = ReadonlyMap<string, string>;

export interface Generator {
  /** The command that runs it, such as `npm run docs:schema`. */
  command: string;
  /** A folder in which it owns every `.md` file: one that it does not make is taken away. */
  folder?: string;
  generate(): Promise<GeneratedFiles>;
}

/** One line for each file that is not what the generator makes; none when all is well. */
async function findOutdated(generator: Generator): Promise<string[]> {
  const files = await generator.generate();
  const different = [...files].filter(([path, text]) => readText(join(projectFolder, path)) !== text);
  return [...different.map(([path]) => path), ...strays(generator, files)].map(
    (path) => `${path} is out of date; run: ${generator.command}`,
  );
}

/** Writes the files. @returns a line for each that changed */
async function writeFiles(generator: Generator): Promise<string[]> {
  const files = await generator.generate();
  const said: string[] = [];
  for (const [path, text] of files) {
    const file = join(projectFolder, path);
    if (readText(file) === text) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    said.push(`wrote ${path}`);
  }
  for (const path of strays(generator, files)) {
    rmSync(join(projectFolder, path));
    said.push(`removed ${path}`);
  }
  return said;
}

/** Runs the generator when `moduleUrl` is the file that Node was started with. */
export async function runAsCommand(moduleUrl: string, generator: Generator): Promise<void> {
  if (moduleUrl !== pathToFileURL(process.argv[1] ?? '').href) return;
  if (process.argv.includes('--check')) {
    const outdated = await findOutdated(generator);
    for (const line of outdated) console.error(line);
    process.exitCode = outdated.length === 0 ? 0 : 1;
    return;
  }
  const said = await writeFiles(generator);
  console.log(said.length === 0 ? 'nothing to do: all is up to date' : said.join('\n'));
}

function strays({ folder }: Generator, files: GeneratedFiles): string[] {
  if (folder === undefined) return [];
  return readdirSync(join(projectFolder, folder), { encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`)
    .filter((path) => !files.has(path));
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
