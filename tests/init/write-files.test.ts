// Writing what was planned: whole files, never over a change of somebody's, and gone on with after a kill.

import { chmodSync, existsSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planInit, writesOf } from '../../init/plan.ts';
import { writeFiles } from '../../init/write-files.ts';
import { cleanUpProjects, initialise, newProject, putFiles, readProjectFiles } from './project-folder.ts';

cleanUpProjects();

const project = { 'package.json': '{\n  "type": "module"\n}\n', '.gitignore': 'dist/\n' };
const planned = (folder: string) => writesOf(planInit({ folder }));
const unfinished = (details: object) => expect.objectContaining({ code: 'INIT_UNFINISHED', details });

describe('nothing is written where, since the plan was made,', () => {
  test.each([
    ['a file was changed', '.gitignore', 'out/\n'],
    ['a file came that was to be made', 'db/schema.js', 'mine();'],
    ['the last file was changed', 'package.json', '{\n  "type": "commonjs"\n}\n'],
  ])('%s', (_, path, text) => {
    const folder = newProject(project);
    const steps = planned(folder);
    putFiles(folder, { [path]: text });
    const notWritten = steps.map((step) => step.path);
    expect(() => writeFiles(folder, steps)).toThrow(unfinished({ written: [], notWritten }));
    expect(readProjectFiles(folder)).toEqual({ ...project, [path]: text });
  });

  test('a folder can’t be made any more', () => {
    const folder = newProject(project);
    const steps = planned(folder);
    putFiles(folder, { db: 'a file of this name' });
    expect(() => writeFiles(folder, steps)).toThrow(expect.objectContaining({ code: 'INIT_UNFINISHED' }));
    expect(readProjectFiles(folder)).toEqual({ ...project, db: 'a file of this name' });
  });
});

test('what fails in the middle says what was written and what was not', () => {
  const folder = newProject({ a: 'old' });
  symlinkSync('a', join(folder, 'b')); // changed by the first step, before the second one is at it
  const steps = ['a', 'b'].map((path) => ({ action: 'change' as const, path, before: 'old', text: 'new' }));
  expect(() => writeFiles(folder, steps)).toThrow(unfinished({ written: ['a'], notWritten: ['b'] }));
  expect(readProjectFiles(folder)).toEqual({ a: 'new', b: 'new' });
});

test('after a kill behind any of the files the next run ends the same', () => {
  const whole = newProject(project);
  const steps = planned(whole);
  writeFiles(whole, steps);
  const expected = readProjectFiles(whole);
  for (let count = 0; count <= steps.length; count += 1) {
    const folder = newProject(project);
    writeFiles(folder, steps.slice(0, count));
    // What the kill left of those that were not in their places yet.
    for (const { path } of steps.slice(count)) putFiles(folder, { [`${path}.mytx-init`]: 'hal' });
    expect(initialise(folder)).toEqual(steps.slice(count).map(({ path }) => path));
    expect(readProjectFiles(folder)).toEqual(expected);
  }
});

test('a file that is changed keeps its mode, and a link stays one', () => {
  const folder = newProject({ 'package.json': '{}', 'shared/ignored': 'dist/\n' });
  symlinkSync('shared/ignored', join(folder, '.gitignore'));
  chmodSync(join(folder, 'package.json'), 0o640);
  writeFiles(folder, planned(folder));
  expect(readlinkSync(join(folder, '.gitignore'))).toBe('shared/ignored');
  expect(readFileSync(join(folder, 'shared/ignored'), 'utf8')).toBe('dist/\n.mytx/\n.env.local\n');
  expect(statSync(join(folder, 'package.json')).mode & 0o777).toBe(0o640);
});

test('a file that can’t be written is an error with its cause, and leaves no half of it', () => {
  const folder = newProject({ 'package.json': '{}' });
  const name = 'x'.repeat(250); // with what stands behind it meanwhile it is longer than a name may be
  const steps = [{ action: 'create' as const, path: name, text: 'text' }];
  expect(() => writeFiles(folder, steps)).toThrow(
    expect.objectContaining({ code: 'INIT_UNFINISHED', cause: expect.objectContaining({ code: 'ENAMETOOLONG' }) }),
  );
  expect(existsSync(join(folder, name))).toBe(false);
  writeFileSync(join(folder, name), 'such a name is not too long by itself');
});
