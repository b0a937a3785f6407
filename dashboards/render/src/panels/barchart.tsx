import { type DataFrame, type Field, FieldType, getFieldDisplayName, getFieldSeriesColor } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { Empty } from './empty';
import { type Drawing } from './kinds';
import { Legend, Plot, display, fitting, ticks, wide, words } from './svg';

function parts(frame: DataFrame | undefined, options: Record<string, any>): { names?: Field; bars: Field[] } {
  const fields = frame?.fields ?? [];
  const named = fields.find((field) => options.xField && getFieldDisplayName(field, frame) === options.xField);
  const names = named ?? fields.find((field) => field.type === FieldType.string) ?? fields.find((field) => field.type === FieldType.time);
  const bars = fields.filter((field) => field !== names && field.type === FieldType.number && !field.config.custom?.hideFrom?.viz);
  bars.forEach((field, seriesIndex) => { field.state = { ...field.state, seriesIndex }; }); // colours begin with the first bar
  return { names, bars };
}

/** Bars side by side or on top of each other, by the names of one column. */
export function Bars(drawing: Drawing) {
  const theme = useTheme2();
  const { options, frames, config, width, height } = drawing;
  const { names, bars } = parts(frames[0], options);
  if (!names || !bars.length || !frames[0].length) {
    return <Empty words={config.defaults.noValue ?? 'No data'} width={width} height={height} />;
  }
  const isAcross = options.orientation === 'horizontal' || (options.orientation !== 'vertical' && width < height / 2);
  const shown = options.legend?.showLegend !== false;
  const entries = bars.map((field) => ({ name: getFieldDisplayName(field, frames[0], frames), colour: colour(field, undefined, drawing, theme) }));
  const inner = height - (shown ? 24 : 0);
  const Chart = isAcross ? Across : Upright;
  return (
    <div>
      <Chart drawing={drawing} names={names} bars={bars} width={width} height={inner} />
      {shown && <Legend entries={entries} theme={theme} />}
    </div>
  );
}

function colour(field: Field, value: unknown, _: Drawing, theme: ReturnType<typeof useTheme2>): string {
  const byValue = ['thresholds', 'continuous-GrYlRd'].includes(field.config.color?.mode ?? '');
  const found = value !== undefined && (byValue || field.config.mappings?.length) ? display(field, value).color : undefined;
  return theme.visualization.getColorByName(found ?? getFieldSeriesColor(field, theme).color ?? theme.colors.text.primary);
}

interface Chart {
  drawing: Drawing;
  names: Field;
  bars: Field[];
  width: number;
  height: number;
}

function scale(bars: Field[], isStacked: boolean): { low: number; high: number } {
  const totals = bars[0].values.map((_, row) => bars.reduce((sum, field) => sum + (Number(field.values[row]) || 0), 0));
  const values = isStacked ? totals : bars.flatMap((field) => field.values.map((one) => Number(one) || 0));
  const { min, max } = bars[0].config;
  return { low: min ?? Math.min(0, ...values), high: max ?? Math.max(0, ...values) };
}

/** Where each bar is: its start and its length along the values, its place and its breadth across them. */
function places({ drawing, bars, names }: Chart, room: number) {
  const { options } = drawing;
  const isStacked = Boolean(options.stacking && options.stacking !== 'none');
  const group = room / names.values.length;
  const breadth = (group * (options.groupWidth ?? 0.7) * (isStacked ? 1 : 1 / bars.length)) * (options.barWidth ?? 0.97);
  return bars.flatMap((field, place) => field.values.map((value, row) => {
    const before = isStacked ? bars.slice(0, place).reduce((sum, one) => sum + (Number(one.values[row]) || 0), 0) : 0;
    const slot = (group * (options.groupWidth ?? 0.7)) / (isStacked ? 1 : bars.length);
    const offset = group * row + (group * (1 - (options.groupWidth ?? 0.7))) / 2 + (isStacked ? 0 : slot * place) + (slot - breadth) / 2;
    return { field, value, row, from: before, to: before + (Number(value) || 0), offset, breadth };
  }));
}

function Upright(chart: Chart) {
  const theme = useTheme2();
  const { drawing, names, bars, width, height } = chart;
  const turn = drawing.options.xTickLabelRotation ?? 0;
  const longest = turn ? height / 2 / Math.abs(Math.sin((turn * Math.PI) / 180)) : width / names.values.length;
  const texts = names.values.map((one) => fitting(words(names, one), longest, 12));
  const low = turn ? Math.max(...texts.map((one) => wide(one))) * Math.abs(Math.sin((turn * Math.PI) / 180)) + 14 : 20;
  const { low: least, high: most } = scale(bars, Boolean(drawing.options.stacking && drawing.options.stacking !== 'none'));
  const lines = ticks(least, most, (height - low) / 45);
  const labels = lines.map((one) => words(bars[0], one));
  const before = turn < 0 ? wide(texts[0]) * Math.cos((turn * Math.PI) / 180) - width / texts.length / 2 : 0;
  const left = Math.max(before, ...labels.map((one) => wide(one) + 12));
  const bottom = height - low;
  const top = lines.at(-1)! <= (bars[0].config.max ?? Infinity) ? lines.at(-1)! : bars[0].config.max!;
  const y = (value: number) => bottom - ((value - lines[0]) / (top - lines[0] || 1)) * (bottom - 8);
  const room = width - left - 8;
  return (
    <Plot width={width} height={height}>
      {lines.filter((one) => one <= top).map((one, place) => (
        <g key={one}>
          <line x1={left} x2={width} y1={y(one)} y2={y(one)} stroke={theme.colors.border.weak} />
          <text x={left - 8} y={y(one) + 4} textAnchor="end" fontSize={12} fill={theme.colors.text.primary}>{labels[place]}</text>
        </g>
      ))}
      {places(chart, room).map((one, place) => (
        <rect key={place} x={left + one.offset} width={one.breadth} y={Math.min(y(one.from), y(one.to))} height={Math.abs(y(one.to) - y(one.from))}
          fill={colour(one.field, one.value, drawing, theme)} fillOpacity={(one.field.config.custom?.fillOpacity ?? 80) / 100}
          stroke={colour(one.field, one.value, drawing, theme)} strokeWidth={one.field.config.custom?.lineWidth ?? 1} />
      ))}
      {texts.map((text, row) => {
        const [x, at] = [left + (room / texts.length) * (row + 0.5), bottom + (turn ? 10 : 14)];
        return (
          <text key={row} x={x} y={at} fontSize={12} fill={theme.colors.text.primary} textAnchor={turn < 0 ? 'end' : turn > 0 ? 'start' : 'middle'}
            transform={turn ? `rotate(${turn} ${x} ${at})` : undefined}>{text}</text>
        );
      })}
      {drawing.options.showValue === 'always' && places(chart, room).filter((one) => one.value !== null).map((one, place) => (
        <text key={place} x={left + one.offset + one.breadth / 2} y={y(Math.max(one.from, one.to)) - 3} fontSize={10} textAnchor="middle"
          fill={theme.colors.text.primary}>{words(one.field, one.value)}</text>
      ))}
    </Plot>
  );
}

function Across(chart: Chart) {
  const theme = useTheme2();
  const { drawing, names, bars, width, height } = chart;
  const texts = names.values.map((one) => fitting(words(names, one), width / 3));
  const left = Math.max(...texts.map((one) => wide(one))) + 12;
  const { low: least, high: most } = scale(bars, Boolean(drawing.options.stacking && drawing.options.stacking !== 'none'));
  const lines = ticks(least, most, (width - left) / 90);
  const [room, high] = [height - 24, lines.at(-1)!];
  const x = (value: number) => left + ((value - lines[0]) / (high - lines[0] || 1)) * (width - left - 48);
  return (
    <Plot width={width} height={height}>
      {lines.map((one) => (
        <g key={one}>
          <line x1={x(one)} x2={x(one)} y1={0} y2={room} stroke={theme.colors.border.weak} />
          <text x={x(one)} y={room + 16} textAnchor="middle" fontSize={12} fill={theme.colors.text.primary}>{words(bars[0], one)}</text>
        </g>
      ))}
      {places(chart, room).map((one, place) => (
        <g key={place}>
          <rect y={one.offset} height={one.breadth} x={Math.min(x(one.from), x(one.to))} width={Math.abs(x(one.to) - x(one.from))}
            fill={colour(one.field, one.value, drawing, theme)} fillOpacity={(one.field.config.custom?.fillOpacity ?? 80) / 100}
            stroke={colour(one.field, one.value, drawing, theme)} strokeWidth={one.field.config.custom?.lineWidth ?? 1} />
          {drawing.options.showValue !== 'never' && one.value !== null && one.breadth > 8 && (
            <text x={x(one.to) + 4} y={one.offset + one.breadth / 2 + 4} fontSize={Math.min(12, one.breadth)} fill={theme.colors.text.primary}>
              {words(one.field, one.value)}
            </text>
          )}
        </g>
      ))}
      {texts.map((text, row) => (
        <text key={row} x={left - 8} y={(room / texts.length) * (row + 0.5) + 4} textAnchor="end" fontSize={12} fill={theme.colors.text.primary}>{text}</text>
      ))}
    </Plot>
  );
}
