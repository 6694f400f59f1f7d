// Findings as GitHub Actions shows them beside the lines of a change: one workflow command each.

import type { Finding, LintReport } from './finding.ts';
import { relativeTo } from './relative-path.ts';

/**
 * @param root the folder of the repository, to which paths are relative
 * @example toAnnotations(report, '/app') // ['::error file=drizzle/0001_a.sql,line=3,…,title=blocking-statement::…']
 */
export function toAnnotations({ findings }: LintReport, root: string): string[] {
  return findings.map((finding) => {
    const { severity, message, help } = finding;
    const properties = propertiesOf(finding, root).map(([name, value]) => `${name}=${asProperty(String(value))}`);
    return `::${severity} ${properties.join(',')}::${asData(help === '' ? message : `${message}\n${help}`)}`;
  });
}

function propertiesOf({ file, region, rule }: Finding, root: string): [string, string | number][] {
  if (file === null || region === null) return [['title', rule]];
  // GitHub takes columns only where the place is within one line.
  const columns: [string, number][] =
    region.line === region.endLine
      ? [
          ['col', region.column],
          ['endColumn', region.endColumn],
        ]
      : [];
  return [
    ['file', relativeTo(root, file)],
    ['line', region.line],
    ['endLine', region.endLine],
    ...columns,
    ['title', rule],
  ];
}

const asData = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const asProperty = (text: string): string => asData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
