// mytx init, as a person and a script run it: what it says, asks and exits with. What it writes is in tests/init; that an
// application works with it, in tests/package/init.test.ts.

import { describe, expect, test } from 'vitest';
import { cleanUpProjects, newProject, readProjectFiles } from '../init/project-folder.ts';
import { migrationFiles } from '../own-migrations.ts';
import { cleanUpCommands, mytx } from './command.ts';
import { answerMytx, whyNoTerminal } from './terminal.ts';

cleanUpCommands();
cleanUpProjects();
const project = { 'package.json': '{\n  "type": "module"\n}\n' };
/** Besides the migrations: five in db/, drizzle-kit's configuration, .gitignore and package.json. */
const fileCount = migrationFiles.length + 8;

describe('on a terminal', () => {
  const missing = whyNoTerminal();

  test.for([
    ['y', 'y\r'],
    ['Yes', 'Yes\r'],
  ] as const)('it says what it would do, asks, and does it: %s', async ([, keys], { skip }) => {
    if (missing) return skip(missing);
    const folder = newProject(project);
    const { exitCode, screen } = await answerMytx(['init'], folder, keys);
    const [target, blank, ...lines] = screen.split('\n');
    expect([target, blank]).toEqual([expect.stringMatching(/^target: /), '']);
    expect(lines.slice(0, migrationFiles.length)).toEqual(migrationFiles.map((path) => `create  ${path}`));
    expect(screen).toMatch(
      new RegExp(
        `Write these ${fileCount} files\\? \\[y/N\\] .*\n\nwritten: ${fileCount} files\n\nnext, in this order:\n {2}npm install `,
      ),
    );
    expect(exitCode).toBe(0);
    expect(Object.keys(readProjectFiles(folder))).toContain('db/schema.js');
  });

  test.for([
    [
      'n',
      'n\r',
      2,
      'error CONFIRMATION_NEEDED: not confirmed; nothing was changed\nnext: Run the same command with --yes',
    ],
    ['Enter', '\r', 2, 'error CONFIRMATION_NEEDED: not confirmed; nothing was changed\n'],
    ['Ctrl-D', '\u0004', 2, 'error CONFIRMATION_NEEDED: not confirmed; nothing was changed\n'],
    ['Ctrl-C', '\u0003', 130, 'interrupted; run the same command again'],
  ] as const)('nothing is written after %s', async ([, keys, code, says], { skip }) => {
    if (missing) return skip(missing);
    const folder = newProject(project);
    const { exitCode, screen } = await answerMytx(['init'], folder, keys);
    expect(screen).toContain(says);
    expect(screen).not.toContain(' at ');
    expect(exitCode).toBe(code);
    expect(readProjectFiles(folder)).toEqual(project);
  });

  test('nothing is asked where there is nothing to do', async ({ skip }) => {
    if (missing) return skip(missing);
    const folder = newProject(project);
    await mytx(['init', '--yes'], { folder });
    const { exitCode, screen } = await answerMytx(['init'], folder, '');
    expect(screen).toContain('nothing to do: every file is there');
    expect(screen).not.toContain('[y/N]');
    expect(exitCode).toBe(0);
  });
});

describe('without one', () => {
  test('it names the flag, exits 2, and writes nothing', async () => {
    const folder = newProject(project);
    const { exitCode, stdout, stderr } = await mytx(['init'], { folder });
    expect(stdout).toContain('create  db/schema.js\n');
    expect(stderr).toMatch(/^error CONFIRMATION_NEEDED: .*the flag --yes is missing\nnext: .*\n$/);
    expect(exitCode).toBe(2);
    expect(readProjectFiles(folder)).toEqual(project);
  });

  test.each([
    ['outside of a project', {}, 1, 'PROJECT_NOT_FOUND'],
    ['with a damaged package.json', { 'package.json': '{' }, 1, 'PROJECT_UNREADABLE'],
    ['with a file in the way', { ...project, 'db/schema.js': 'mine();' }, 3, 'INIT_REFUSED'],
  ])('%s it says so, and a dry run does too', async (_, files, code, error) => {
    const folder = newProject(files);
    for (const flag of ['--yes', '--dry-run']) {
      const { exitCode, stdout, stderr } = await mytx(['init', flag, '--json'], { folder });
      expect(JSON.parse(stdout)).toMatchObject({ ok: false, command: 'init', data: null, error: { code: error } });
      expect(stderr).toContain(`error ${error}: `);
      expect(exitCode).toBe(code);
    }
    expect(readProjectFiles(folder)).toEqual(files);
  });

  test('a file in the way is shown with what to do by hand', async () => {
    const folder = newProject({ ...project, 'db/schema.js': 'mine();' });
    const { stdout } = await mytx(['init', '--yes'], { folder });
    expect(stdout).toContain(
      [
        'refuse  db/schema.js: is there already, and is not of mytx-ai',
        '          Add to it, or rename it and run this again:',
        "            export * from 'mytx-ai/schema';",
      ].join('\n'),
    );
    expect(stdout).not.toContain('next, in this order');
  });
});

test('--json is one envelope on stdout, with the plan, what was written and the commands', async () => {
  const folder = newProject(project);
  const { exitCode, stdout, stderr } = await mytx(['init', '--yes', '--json'], { folder });
  const { data, ...envelope } = JSON.parse(stdout);
  const target = `${folder} (JavaScript, npm)`;
  expect(envelope).toEqual({ ok: true, command: 'init', target, warnings: [], error: null });
  expect(data).toMatchObject({
    project: { language: 'javascript', framework: null, packageManager: 'npm' },
    plan: expect.arrayContaining([
      { path: 'db/schema.js', action: 'create' },
      {
        path: 'package.json',
        action: 'change',
        diff: expect.arrayContaining(['+     "db:migrate": "node db/migrate.js"']),
      },
    ]),
    notes: [],
    commands: [
      'npm install mytx-ai drizzle-orm@0.45',
      'npm install -D drizzle-kit@0.31',
      'node db/migrate.js',
      'npx drizzle-kit generate',
    ],
  });
  expect(data.written.sort()).toEqual(data.plan.map(({ path }: { path: string }) => path).sort());
  expect(stderr).toContain(`written: ${fileCount} files`);
  expect(exitCode).toBe(0);
});
