// What the lint found, and the report of it.

import type { Severity } from './rules.ts';

/** A part of a file, as editors count: lines and columns from 1, columns in UTF-16 units, the end not included. */
export interface Region {
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
}

export interface Finding {
  /** Its name in docs/linting.md, such as `blocking-statement` or `squawk/ban-drop-column`. */
  rule: string;
  severity: Exclude<Severity, 'off'>;
  /** The file, absolute; null for what is about no file. */
  file: string | null;
  region: Region | null;
  /** What is the matter here, in a sentence. */
  message: string;
  /** What to do about it. */
  help: string;
}

/** A finding that is not told: by which comment, and why. */
export interface SuppressedFinding extends Finding {
  reason: string;
}

export interface LintReport {
  /** The files that were looked at, absolute, in the order in which they run. */
  files: string[];
  /** By file, line and rule. */
  findings: Finding[];
  /** What a comment in the file keeps out of `findings`. */
  suppressed: SuppressedFinding[];
  errors: number;
  warnings: number;
  /** What was not known, and which rules that leaves out. */
  notes: string[];
}
