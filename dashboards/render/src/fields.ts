// What a panel's fieldConfig makes of its fields: units, colours, words for numbers, limits.
import {
  type DataFrame,
  type FieldConfigSource,
  FieldConfigOptionsRegistry,
  type FieldConfigPropertyItem,
  type GrafanaTheme2,
  type InterpolateFunction,
  applyFieldOverrides,
  standardTransformersRegistry,
  standardTransformers,
  transformDataFrame,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';

type Json = Record<string, any>;

// What Grafana fills in for what a panel leaves out.
const LINES: Json = {
  drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none', pointSize: 5,
  showPoints: 'auto', spanNulls: false, insertNulls: false, axisPlacement: 'auto', axisLabel: '', axisColorMode: 'text',
  axisBorderShow: false, scaleDistribution: { type: 'linear' }, axisCenteredZero: false, barAlignment: 0,
  hideFrom: { tooltip: false, viz: false, legend: false }, thresholdsStyle: { mode: 'off' }, stacking: { mode: 'none', group: 'A' },
};
const STATES: Json = { lineWidth: 0, fillOpacity: 70, spanNulls: false, hideFrom: { tooltip: false, viz: false, legend: false } };
const CUSTOM: Record<string, Json> = {
  timeseries: LINES,
  barchart: { lineWidth: 1, fillOpacity: 80, axisPlacement: 'auto', hideFrom: { viz: false } },
  'state-timeline': STATES,
  'status-history': { ...STATES, lineWidth: 1 },
  table: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false },
};
const COLOUR: Record<string, string> = { timeseries: 'palette-classic', barchart: 'palette-classic' };
const THRESHOLDS = { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 80, color: 'red' }] };
const STANDARD = [
  'unit', 'min', 'max', 'fieldMinMax', 'decimals', 'displayName', 'noValue', 'thresholds', 'mappings', 'links', 'actions', 'color', 'filterable',
];

/** Every property that the defaults or an override of the panel speak of, as one that Grafana knows. */
function registry(config: FieldConfigSource): FieldConfigOptionsRegistry {
  const custom = Object.keys((config.defaults as Json).custom ?? {});
  const overridden = config.overrides.flatMap((one) => one.properties.map((property) => property.id))
    .filter((id) => id.startsWith('custom.')).map((id) => id.slice('custom.'.length));
  const property = (id: string, isCustom: boolean) => ({
    id: isCustom ? `custom.${id}` : id, path: id, name: id, isCustom, process: (value: unknown) => value, shouldApply: () => true,
    override: () => null, editor: () => null,
  }) as unknown as FieldConfigPropertyItem;
  return new FieldConfigOptionsRegistry(() => [
    ...STANDARD.map((id) => property(id, false)),
    ...[...new Set([...custom, ...overridden])].map((id) => property(id, true)),
  ]);
}

function joined(below: Json, above: Json): Json {
  const plain = (one: unknown) => one !== null && typeof one === 'object' && !Array.isArray(one);
  const keys = Object.keys({ ...below, ...above });
  return Object.fromEntries(keys.map((key) => {
    const value = above[key] === undefined ? below[key] : above[key];
    return [key, plain(below[key]) && plain(above[key]) ? joined(below[key], above[key]) : value];
  }));
}

/** A panel's fieldConfig, with what Grafana would fill in. */
export function completed(panel: Json): FieldConfigSource {
  const given = panel.fieldConfig ?? {};
  const below = {
    thresholds: THRESHOLDS, mappings: [], custom: CUSTOM[panel.type] ?? {}, color: { mode: COLOUR[panel.type] ?? 'thresholds' },
  };
  return structuredClone({ defaults: joined(below, given.defaults ?? {}), overrides: given.overrides ?? [] }) as FieldConfigSource;
}

export function overridden(
  data: DataFrame[], config: FieldConfigSource, theme: GrafanaTheme2, replaceVariables: InterpolateFunction, timeZone: string,
): DataFrame[] {
  return applyFieldOverrides({ data, fieldConfig: config, fieldConfigRegistry: registry(config), replaceVariables, theme, timeZone });
}

// Some stand there under two names.
const TRANSFORMERS = [...new Map(Object.values(standardTransformers).map((one) => [one.id, one])).values()];
standardTransformersRegistry.setInit(() => TRANSFORMERS.map((one) => ({ id: one.id, name: one.name, transformation: () => Promise.resolve(one), editor: () => null })) as never);

/** The frames after the panel's transformations, which are Grafana's own. */
export async function transformed(data: DataFrame[], transformations: Json[], interpolate: (text: string) => string): Promise<DataFrame[]> {
  if (!transformations.length) {
    return data;
  }
  return lastValueFrom(transformDataFrame(transformations as never, data, { interpolate } as never));
}
