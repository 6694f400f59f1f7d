// A report as SARIF 2.1.0, which code scanning of many services takes.

import type { Finding, LintReport, Region, SuppressedFinding } from './finding.ts';
import { relativeTo } from './relative-path.ts';
import { rules } from './rules.ts';

/** The part of SARIF's schema that is written here. */
export interface SarifLog {
  $schema: string;
  version: '2.1.0';
  runs: SarifRun[];
}

interface SarifRun {
  tool: { driver: { name: string; version: string; rules: SarifRule[] } };
  columnKind: 'utf16CodeUnits';
  results: SarifResult[];
}

interface SarifRule {
  id: string;
  shortDescription: { text: string };
  help: { text: string };
  defaultConfiguration: { enabled: boolean; level: 'error' | 'warning' | 'none' };
}

interface SarifResult {
  ruleId: string;
  ruleIndex?: number;
  level: 'error' | 'warning';
  message: { text: string };
  locations: SarifLocation[];
  suppressions?: { kind: 'inSource'; justification: string }[];
}

interface SarifLocation {
  physicalLocation: {
    artifactLocation: { uri: string; uriBaseId: '%SRCROOT%' };
    region?: { startLine: number; startColumn: number; endLine: number; endColumn: number };
  };
}

/**
 * @param root the folder of the repository, to which paths are relative
 * @param version of this package
 */
export function toSarif(report: LintReport, root: string, version: string): SarifLog {
  const names = [...rules.keys()];
  const results = [
    ...report.findings.map((finding) => toResult(finding, names, root)),
    ...report.suppressed.map((finding) => toSuppressed(finding, names, root)),
  ];
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'mytx', version, rules: names.map(toRule) } },
        columnKind: 'utf16CodeUnits',
        results,
      },
    ],
  };
}

function toRule(id: string): SarifRule {
  const { finds = '', help = '', severity = 'warning' } = rules.get(id) ?? {};
  const sentence = `${finds.charAt(0).toUpperCase()}${finds.slice(1)}.`;
  return {
    id,
    shortDescription: { text: sentence },
    help: { text: help },
    defaultConfiguration: { enabled: severity !== 'off', level: severity === 'off' ? 'none' : severity },
  };
}

function toResult(
  { rule, severity, message, help, file, region }: Finding,
  names: readonly string[],
  root: string,
): SarifResult {
  const ruleIndex = names.indexOf(rule);
  return {
    ruleId: rule,
    ...(ruleIndex === -1 ? {} : { ruleIndex }),
    level: severity,
    message: { text: help === '' ? message : `${message}. ${help}` },
    locations: file === null ? [] : [toLocation(file, region, root)],
  };
}

function toSuppressed(finding: SuppressedFinding, names: readonly string[], root: string): SarifResult {
  return { ...toResult(finding, names, root), suppressions: [{ kind: 'inSource', justification: finding.reason }] };
}

function toLocation(file: string, region: Region | null, root: string): SarifLocation {
  const uri = encodeURI(relativeTo(root, file)).replaceAll('#', '%23').replaceAll('?', '%3F');
  const artifactLocation = { uri, uriBaseId: '%SRCROOT%' } as const;
  if (!region) return { physicalLocation: { artifactLocation } };
  const { line, column, endLine, endColumn } = region;
  return {
    physicalLocation: {
      artifactLocation,
      region: { startLine: line, startColumn: column, endLine, endColumn },
    },
  };
}
