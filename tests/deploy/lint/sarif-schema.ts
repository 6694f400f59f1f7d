// What the schema of SARIF 2.1.0 says of the parts that the lint writes: which properties there may be, which there must, and
// their values.

import { z } from 'zod';

const text = z.string().min(1);
const message = z.strictObject({ text });
const level = z.enum(['none', 'note', 'warning', 'error']);
const fromOne = z.int().min(1);

const region = z
  .strictObject({ startLine: fromOne, startColumn: fromOne, endLine: fromOne, endColumn: fromOne })
  .refine(({ startLine, endLine, startColumn, endColumn }) => endLine > startLine || endColumn >= startColumn);

/** A reference, relative to the root. */
const uri = text.refine(
  (value) => new URL(value, 'file:///root/').href.startsWith('file:///root/') && !/[\s\\]/.test(value),
);

const result = z.strictObject({
  ruleId: text,
  ruleIndex: z.int().min(-1).optional(),
  level,
  message,
  locations: z.array(
    z.strictObject({
      physicalLocation: z.strictObject({
        artifactLocation: z.strictObject({ uri, uriBaseId: text }),
        region: region.optional(),
      }),
    }),
  ),
  suppressions: z.array(z.strictObject({ kind: z.enum(['inSource', 'external']), justification: text })).optional(),
});

const rule = z.strictObject({
  id: text,
  shortDescription: message,
  help: message,
  defaultConfiguration: z.strictObject({ enabled: z.boolean(), level }),
});

const unique = <T>(list: readonly T[]): boolean => new Set(list.map((one) => JSON.stringify(one))).size === list.length;

export const sarifLog = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z.array(
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({ name: text, version: text, rules: z.array(rule).refine(unique) }),
      }),
      columnKind: z.enum(['utf16CodeUnits', 'unicodeCodePoints']),
      results: z.array(result),
    }),
  ),
});
