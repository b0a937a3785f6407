// What JSON may hold of Grafana's types: enums by their values, and nothing that must be there, as Grafana fills in the rest.
export type Plain<T> = T extends string
  ? `${T}`
  : T extends number
    ? number
    : T extends Array<infer One>
      ? Array<Plain<One>>
      : T extends object
        ? { [K in keyof T]?: Plain<T[K]> }
        : T;

/** A query, as Grafana's data source for Prometheus reads it; its own types are in no package. */
export interface Query {
  datasource: { type: 'prometheus'; uid: string };
  editorMode?: 'builder' | 'code';
  exemplar?: boolean;
  expr: string;
  format: 'heatmap' | 'table' | 'time_series';
  hide?: boolean;
  instant: boolean;
  interval?: string;
  intervalFactor?: number;
  legendFormat?: string;
  range: boolean;
  refId: string;
}
