// Checks dashboards against Grafana's own types: node check.mjs DASHBOARD.json...
// A misspelt option, an unknown one or a value of a wrong type is told with its panel; there are none in what passes.
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const HERE = dirname(fileURLToPath(import.meta.url));
const KINDS = {
  alertlist: null, // its options are in no package
  barchart: ['barchart', 'BarChart'],
  bargauge: ['bargauge', 'BarGauge'],
  gauge: ['gauge', 'Gauge'],
  heatmap: ['heatmap', 'Heatmap'],
  histogram: ['histogram', 'Histogram'],
  piechart: ['piechart', 'PieChart'],
  stat: ['stat', 'Stat'],
  'state-timeline': ['statetimeline', 'StateTimeline'],
  'status-history': ['statushistory', 'StatusHistory'],
  table: ['table', 'Table'],
  text: ['text', 'Text'],
  timeseries: ['timeseries', 'TimeSeries'],
  xychart: ['xychart', 'XYChart'],
};
const HEAD = [
  `import type { Dashboard, FieldConfig, Panel, RowPanel, VariableModel, AnnotationQuery } from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';`,
  `import type { Plain, Query } from './plain';`,
];

/** Each panel, those of folded rows too. */
function* panels(board) {
  for (const panel of board.panels) {
    yield panel;
    yield* panel.panels ?? [];
  }
}

/** A dashboard as TypeScript: a constant for each part that has a type, with words before it that say which it is. */
function source(name, board) {
  const lines = [...HEAD];
  for (const [kind, found] of Object.entries(KINDS)) {
    if (found) {
      const [folder, prefix] = found;
      lines.push(`import type * as ${identifier(kind)} from '@grafana/schema/dist/esm/raw/composable/${folder}/panelcfg/x/${prefix}PanelCfg_types.gen';`);
    }
  }
  const check = (what, type, value) => lines.push(`// ${name}: ${what}`, `export const x${lines.length}: Plain<${type}> = ${JSON.stringify(value, null, 1)};`);
  const { panels: _, templating, annotations, ...rest } = board;
  check('the dashboard', `Omit<Dashboard, 'panels'>`, rest);
  templating.list.forEach((one) => check(`variable ${one.name}`, 'VariableModel & { definition: string }', one));
  annotations.list.forEach((one) => check(`annotation ${one.name}`, 'AnnotationQuery & Record<"step" | "expr" | "textFormat" | "titleFormat", string>', one));
  for (const panel of panels(board)) {
    of(panel, (what, type, value) => check(`${panel.title}, ${what}`, type, value));
  }
  return lines.join('\n');
}

function of(panel, check) {
  if (panel.type === 'row') {
    const { panels: _, ...rest } = panel;
    check('the row', `Omit<RowPanel, 'panels'>`, rest);
    return;
  }
  const { options, fieldConfig, targets, ...rest } = panel;
  check('the panel', `Omit<Panel, 'options' | 'fieldConfig' | 'targets'>`, rest);
  const known = KINDS[panel.type];
  if (known === undefined) {
    check('its type', `'${Object.keys(KINDS).join("' | '")}'`, panel.type);
  }
  if (!known) {
    return;
  }
  const kind = identifier(panel.type);
  check('options', `${kind}.Options`, options);
  (targets ?? []).forEach((one) => check(`query ${one.refId}`, 'Query', one));
  const { custom, ...defaults } = fieldConfig?.defaults ?? {};
  check('fieldConfig.defaults', `Omit<FieldConfig, 'custom'>`, defaults);
  if (custom) {
    check('fieldConfig.defaults.custom', `${kind}.FieldConfig`, custom);
  }
  for (const { matcher, properties } of fieldConfig?.overrides ?? []) {
    for (const { id, value } of properties) {
      const [type, key] = id.startsWith('custom.') ? [`${kind}.FieldConfig`, id.slice('custom.'.length)] : ['FieldConfig', id];
      check(`override of ${matcher.options}`, type, nest(key, value));
    }
  }
}

/** The value of a path such as `hideFrom.viz`. */
function nest(path, value) {
  return path.split('.').reduceRight((inner, name) => ({ [name]: inner }), value);
}

function identifier(kind) {
  return kind.replace('-', '_');
}

function problems(boards) {
  const texts = new Map(boards.map(([name, board]) => [join(HERE, `${name}.generated.ts`), source(name, board)]));
  const options = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, noEmit: true, strict: true, skipLibCheck: true, types: [] };
  const host = ts.createCompilerHost(options);
  const [read, exists] = [host.readFile, host.fileExists];
  host.readFile = (path) => texts.get(path) ?? read(path);
  host.fileExists = (path) => texts.has(path) || exists(path);
  host.getSourceFile = (path, version) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map((found) => {
    const before = found.file?.text.slice(0, found.start).split('\n') ?? [];
    const where = before.findLast((line) => line.startsWith('// ')) ?? '// ';
    return `${where.slice(3)}: ${ts.flattenDiagnosticMessageText(found.messageText, '\n  ')}`;
  });
}

const boards = process.argv.slice(2).map((path) => [basename(path, '.json'), JSON.parse(readFileSync(path, 'utf8'))]);
const found = problems(boards);
found.forEach((one) => console.log(one));
const checked = boards.reduce((sum, [, board]) => sum + [...panels(board)].filter((panel) => panel.type !== 'row').length, 0);
console.log(`${checked} panels of ${boards.length} dashboards: ${found.length ? `${found.length} problems` : 'as Grafana has them'}`);
process.exitCode = found.length ? 1 : 0;
