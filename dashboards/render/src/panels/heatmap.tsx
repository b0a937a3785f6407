import { type DataFrame, FieldType, formattedValueToString, getValueFormat } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import * as schemes from 'd3-scale-chromatic';
import { Empty } from './empty';
import { type Drawing } from './kinds';
import { Marks, Plot, TimeAxis, wide, words } from './svg';

const OPPOSITE = new Set(['Spectral', 'BrBG', 'PRGn', 'PiYG', 'PuOr', 'RdBu', 'RdGy', 'RdYlBu', 'RdYlGn', 'Turbo', 'Cividis']);

/** The colours of a scheme, dark for little on a dark ground, as Grafana turns them. */
function scheme(color: Record<string, any>, isDark: boolean): (share: number) => string {
  const found = (schemes as Record<string, any>)[`interpolate${color.scheme ?? 'Oranges'}`] ?? schemes.interpolateOranges;
  const isTurned = Boolean(color.reverse) !== (isDark && !OPPOSITE.has(color.scheme));
  return (share) => found(isTurned ? 1 - share : share);
}

/** A column for each moment, a row for each bucket, coloured by how much lies in it. */
export function Heat(drawing: Drawing) {
  const theme = useTheme2();
  const { options, frames, config, width, height, timeRange, timeZone, events } = drawing;
  const frame = joined(frames);
  const buckets = frame?.fields.filter((field) => field.type === FieldType.number) ?? [];
  if (!frame?.length || !buckets.length) {
    return <Empty words={config.defaults.noValue ?? 'No data'} width={width} height={height} />;
  }
  const time = frame.fields[0];
  const step = time.config.interval ?? 60_000;
  const unit = getValueFormat(options.yAxis?.unit ?? config.defaults.unit);
  const labels = buckets.map((field) => {
    const bound = Number((field.name === '+Inf' ? 'Infinity' : field.name));
    return Number.isNaN(bound) || !Number.isFinite(bound) ? field.name : formattedValueToString(unit(bound, options.yAxis?.decimals));
  });
  const left = Math.max(...labels.map((one) => wide(one))) + 12;
  const shown = options.legend?.show !== false;
  const bottom = height - 20 - (shown ? 26 : 0);
  const least = options.filterValues?.le ?? 0;
  const most = options.color?.max ?? Math.max(...buckets.flatMap((field) => field.values.map((one) => one ?? 0)));
  const share = (value: number) => (options.color?.scale === 'exponential' ? (value / most) ** (options.color.exponent ?? 0.5) : value / most);
  const colour = scheme(options.color ?? {}, theme.isDark);
  const [from, to] = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  const x = (at: number) => left + ((Math.max(from, Math.min(to, at)) - from) / (to - from)) * (width - left - 4);
  const row = bottom / buckets.length;
  const gap = options.cellGap ?? 1;
  const every = Math.ceil(14 / row);
  return (
    <div>
      <Plot width={width} height={bottom + 20}>
        {buckets.map((field, place) => (
          <g key={place}>
            {place % every === 0 && (
              <text x={left - 8} y={bottom - row * place - row / 2 + 4} textAnchor="end" fontSize={12} fill={theme.colors.text.primary}>{labels[place]}</text>
            )}
            {field.values.map((value, column) => value > least && (
              <rect key={column} x={x(time.values[column] - step)} width={Math.max(0.5, x(time.values[column]) - x(time.values[column] - step) - gap)}
                y={bottom - row * (place + 1)} height={Math.max(0.5, row - gap)} fill={colour(share(value))} />
            ))}
          </g>
        ))}
        <Marks events={events} x={x} top={0} height={bottom} theme={theme} />
        <TimeAxis range={timeRange} x={x} width={width - left} top={bottom} theme={theme} timeZone={timeZone} />
      </Plot>
      {shown && <Scale colour={(one) => colour(one)} low={words({ ...buckets[0], display: undefined }, 0)} high={formattedValueToString(unitOf(drawing)(most))} />}
    </div>
  );
}

function unitOf({ options, config }: Drawing) {
  return getValueFormat(options.cellValues?.unit ?? (options.yAxis?.unit ? config.defaults.unit : 'short'));
}

function Scale({ colour, low, high }: { colour: (share: number) => string; low: string; high: string }) {
  const theme = useTheme2();
  const stops = [...Array(21).keys()].map((one) => colour(one / 20)).join(', ');
  return (
    <div style={{ display: 'flex', alignItems: 'center', gap: 8, fontSize: 12, color: theme.colors.text.primary, paddingTop: 6 }}>
      {low}
      <div style={{ width: 200, height: 8, background: `linear-gradient(90deg, ${stops})` }} />
      {high}
    </div>
  );
}

/** The rows of one frame; series, a frame each, are put side by side. */
function joined(frames: DataFrame[]): DataFrame | undefined {
  if (frames.length < 2) {
    return frames[0];
  }
  const moments = [...new Set(frames.flatMap((frame) => frame.fields[0].values))].sort((one, other) => one - other);
  const fields = frames.map((frame) => {
    const at = new Map(frame.fields[0].values.map((one, place) => [one, frame.fields[1].values[place]]));
    return { ...frame.fields[1], name: frame.fields[1].config.displayName ?? frame.name ?? frame.fields[1].name, values: moments.map((one) => at.get(one) ?? null) };
  });
  return { ...frames[0], fields: [{ ...frames[0].fields[0], values: moments }, ...fields], length: moments.length };
}
