// What the panels share that npm has no Grafana component for: they are drawn here, with Grafana's colours and words.
import { type DisplayValue, type Field, type GrafanaTheme2, type TimeRange, dateTimeFormat, formattedValueToString } from '@grafana/data';
import { type ReactNode } from 'react';
import { type Event } from '../events';

export function display(field: Field, value: unknown): DisplayValue {
  return field.display ? field.display(value) : { text: String(value ?? ''), numeric: Number(value) };
}

export function words(field: Field, value: unknown): string {
  return formattedValueToString(display(field, value));
}

const CANVAS = document.createElement('canvas').getContext('2d')!;

export function wide(text: string, size = 12): number {
  CANVAS.font = `${size}px Inter`;
  return CANVAS.measureText(text).width;
}

/** A text that fits, cut short if need be. */
export function fitting(text: string, width: number, size = 12): string {
  if (wide(text, size) <= width) {
    return text;
  }
  let length = text.length;
  while (length > 1 && wide(text.slice(0, length) + '…', size) > width) {
    length -= 1;
  }
  return `${text.slice(0, length)}…`;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800].map((one) => one * 1000);

/** Times below a plot. */
export function TimeAxis({ range, x, width, top, theme, timeZone }: {
  range: TimeRange; x: (at: number) => number; width: number; top: number; theme: GrafanaTheme2; timeZone: string;
}) {
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const step = STEPS.find((one) => ((to - from) / one) * 80 < width) ?? STEPS.at(-1)!;
  const format = step < 60_000 ? 'HH:mm:ss' : step < 86_400_000 ? 'HH:mm' : 'MM/DD';
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    ticks.push(at);
  }
  return (
    <g fill={theme.colors.text.primary} fontSize={12} textAnchor="middle">
      {ticks.filter((at) => x(at) + 26 < x(to) + 4).map((at) => (
        <text key={at} x={x(at)} y={top + 14}>{dateTimeFormat(at, { format, timeZone })}</text>
      ))}
    </g>
  );
}

/** What happened, over a plot of time. */
export function Marks({ events, x, top, height, theme }: {
  events: Event[]; x: (at: number) => number; top: number; height: number; theme: GrafanaTheme2;
}) {
  return (
    <g>
      {events.map((event, place) => {
        const colour = theme.visualization.getColorByName(event.colour);
        return (
          <g key={place}>
            <line x1={x(event.time)} x2={x(event.time)} y1={top} y2={top + height} stroke={colour} strokeWidth={2} strokeDasharray="5 5" />
            {event.timeEnd > event.time && (
              <rect x={x(event.time)} y={top + height} width={x(event.timeEnd) - x(event.time)} height={4} fill={colour} />
            )}
          </g>
        );
      })}
    </g>
  );
}

/** Names of colours below a plot. */
export function Legend({ entries, theme }: { entries: Array<{ name: string; colour: string }>; theme: GrafanaTheme2 }) {
  return (
    <div style={{ display: 'flex', flexWrap: 'wrap', gap: '2px 12px', fontSize: 12, color: theme.colors.text.primary, height: 22, overflow: 'hidden' }}>
      {entries.map((one) => (
        <span key={one.name} style={{ display: 'inline-flex', alignItems: 'center', gap: 5 }}>
          <span style={{ width: 14, height: 4, borderRadius: 2, background: one.colour }} />
          {one.name}
        </span>
      ))}
    </div>
  );
}

export function Plot({ width, height, children }: { width: number; height: number; children: ReactNode }) {
  return <svg width={width} height={height} style={{ display: 'block', fontFamily: 'Inter, Helvetica, Arial, sans-serif' }}>{children}</svg>;
}

/** Round numbers between which all values lie. */
export function ticks(low: number, high: number, about: number): number[] {
  const rough = (high - low || 1) / Math.max(1, about);
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * size).find((one) => one >= rough)!;
  const found: number[] = [];
  for (let at = Math.floor(low / step) * step; at < high + step * 0.999; at += step) {
    found.push(Number(at.toPrecision(12)));
  }
  return found;
}
