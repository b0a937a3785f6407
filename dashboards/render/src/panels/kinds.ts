import { type DataFrame, type FieldConfigSource, type TimeRange } from '@grafana/data';
import { type Event } from '../events';

/** What a panel is drawn from. */
export interface Drawing {
  panel: Record<string, any>;
  options: Record<string, any>;
  frames: DataFrame[];
  config: FieldConfigSource;
  width: number;
  height: number;
  timeRange: TimeRange;
  timeZone: string;
  events: Event[];
  interpolate: (text: string) => string;
}
