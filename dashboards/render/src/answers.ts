// Prometheus' answers as Grafana's data source makes frames of them.
import { type DataFrame, type Field, FieldType, type TimeRange, dateTime } from '@grafana/data';

export type Labels = Record<string, string>;

/** One series of an answer: `values` of a range, `value` of an instant. */
interface Series {
  metric: Labels;
  values?: Array<[number, string]>;
  value?: [number, string];
}

/** A query, and what it was answered. */
export interface Answer {
  refId: string;
  format: 'time_series' | 'table' | 'heatmap';
  legend: string;
  expr: string;
  step: number;
  result: Series[];
  error: string;
}

const INFINITE: Record<string, number> = { '+Inf': Infinity, '-Inf': -Infinity, NaN: NaN };

function number(text: string): number {
  return INFINITE[text] ?? Number(text);
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function points(series: Series): Array<[number, string]> {
  return series.values ?? (series.value ? [series.value] : []);
}

function legend(answer: Answer, labels: Labels): string | undefined {
  if (!answer.legend || answer.legend === '__auto') {
    return Object.keys(labels).length ? undefined : answer.expr; // by what tells its labels from the others'
  }
  return answer.legend.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label: string) => labels[label] ?? '');
}

function line(answer: Answer, series: Series): DataFrame {
  const rows = points(series).map(([at, text]): [number, number | null] => [at * 1000, orNull(number(text))]);
  const name = legend(answer, series.metric);
  const time: Field = { name: 'Time', type: FieldType.time, config: { interval: answer.step * 1000 }, values: rows.map(([at]) => at) };
  const value: Field = {
    name: 'Value',
    type: FieldType.number,
    config: { displayNameFromDS: name },
    labels: series.metric,
    values: rows.map(([, one]) => one),
  };
  return { refId: answer.refId, name: name, fields: [time, value], length: rows.length };
}

/** All series of an answer as rows: time, labels, value. */
function rows(answer: Answer, several: boolean): DataFrame {
  const labels = [...new Set(answer.result.flatMap((one) => Object.keys(one.metric)))].sort();
  const cells = answer.result.flatMap((one) => points(one).map(([at, text]) => ({ at: at * 1000, labels: one.metric, value: number(text) })));
  const fields: Field[] = [
    { name: 'Time', type: FieldType.time, config: {}, values: cells.map((one) => one.at) },
    ...labels.map((label): Field => ({
      name: label,
      type: FieldType.string,
      config: { filterable: true },
      values: cells.map((one) => one.labels[label] ?? ''),
    })),
    {
      name: several ? `Value #${answer.refId}` : 'Value',
      type: FieldType.number,
      config: {},
      values: cells.map((one) => orNull(one.value)),
    },
  ];
  return { refId: answer.refId, meta: { preferredVisualisationType: 'table' }, fields, length: cells.length };
}

/** Cumulative buckets as one frame of heat: a field for each bucket, of what lies in it alone. */
function heat(answer: Answer): DataFrame[] {
  const bound = (one: Series) => number(one.metric.le ?? 'NaN');
  const ordered = [...answer.result].filter((one) => one.metric.le !== undefined).sort((a, b) => bound(a) - bound(b));
  if (!ordered.length) {
    return answer.result.map((one) => line(answer, one));
  }
  const moments = [...new Set(ordered.flatMap((one) => points(one).map(([at]) => at)))].sort((a, b) => a - b);
  let below = moments.map(() => 0);
  const fields = ordered.map((one): Field => {
    const known = new Map(points(one).map(([at, text]) => [at, number(text)]));
    const upTo = moments.map((at, place) => known.get(at) ?? below[place]);
    const values = upTo.map((value, place) => Math.max(0, value - below[place]));
    below = upTo;
    return { name: one.metric.le, type: FieldType.number, config: {}, labels: one.metric, values };
  });
  const time: Field = { name: 'Time', type: FieldType.time, config: { interval: answer.step * 1000 }, values: moments.map((at) => at * 1000) };
  return [{ refId: answer.refId, meta: { type: 'heatmap-rows' as never }, fields: [time, ...fields], length: moments.length }];
}

/** All of a panel's frames. */
export function frames(answers: Answer[]): DataFrame[] {
  const tables = answers.filter((one) => one.format === 'table').length;
  return answers.flatMap((answer) => {
    if (!answer.result.length) {
      return [];
    }
    if (answer.format === 'table') {
      return [rows(answer, tables > 1)];
    }
    return answer.format === 'heatmap' ? heat(answer) : answer.result.map((one) => line(answer, one));
  });
}

/** A range of time in Grafana's words. */
export function range(from: number, to: number): TimeRange {
  const [begin, end] = [dateTime(from), dateTime(to)];
  return { from: begin, to: end, raw: { from: begin, to: end } };
}
