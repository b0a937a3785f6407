import { type Field, FieldType, getFieldDisplayName } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { Empty } from './empty';
import { type Drawing } from './kinds';
import { Legend, Marks, Plot, TimeAxis, display, fitting, wide, words } from './svg';

interface Span {
  from: number;
  to: number;
  value: unknown;
}

interface Lane {
  name: string;
  field: Field;
  spans: Span[];
}

/** What a field says from when to when; each value holds for a step, or until the next one. */
function spans(times: number[], field: Field, step: number, isMerged: boolean): Span[] {
  const found: Span[] = [];
  times.forEach((at, place) => {
    const value = field.values[place];
    if (value === null || value === undefined) {
      return;
    }
    const to = Math.min(at + step, times[place + 1] ?? at + step);
    const last = found.at(-1);
    if (isMerged && last && at - last.to < step / 2 && words(field, last.value) === words(field, value)) {
      last.to = to;
    } else {
      found.push({ from: at, to, value });
    }
  });
  return found;
}

function lanes({ frames, panel, options, timeRange }: Drawing): Lane[] {
  const isMerged = panel.type === 'state-timeline' && options.mergeValues !== false;
  return frames.flatMap((frame) => {
    const time = frame.fields.find((field) => field.type === FieldType.time);
    const step = time?.config.interval ?? 60_000;
    return frame.fields.filter((field) => field !== time && time && !field.config.custom?.hideFrom?.viz).map((field) => ({
      name: getFieldDisplayName(field, frame, frames), field,
      spans: spans(time!.values, field, step, isMerged).filter((one) => one.to > timeRange.from.valueOf()),
    }));
  });
}

/** A lane for each series, coloured by what it says: Grafana's state timeline and status history. */
export function States(drawing: Drawing) {
  const theme = useTheme2();
  const { panel, options, config, width, height, timeRange, timeZone, events } = drawing;
  const all = lanes(drawing);
  if (!all.length) {
    return <Empty words={config.defaults.noValue ?? 'No data'} width={width} height={height} />;
  }
  const shown = options.legend?.showLegend !== false;
  const left = Math.min(width / 4, Math.max(...all.map((one) => wide(one.name))) + 12);
  const bottom = height - 20 - (shown ? 24 : 0);
  const [from, to] = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  const x = (at: number) => left + ((Math.max(from, Math.min(to, at)) - from) / (to - from)) * (width - left - 4);
  const lane = bottom / all.length;
  const thick = lane * (options.rowHeight ?? 0.9);
  const isHistory = panel.type === 'status-history';
  return (
    <div>
      <Plot width={width} height={bottom + 20}>
        {all.map((one, place) => (
          <g key={place}>
            <text x={left - 8} y={lane * (place + 0.5) + 4} textAnchor="end" fontSize={Math.min(12, lane)} fill={theme.colors.text.primary}>
              {fitting(one.name, left - 10)}
            </text>
            {one.spans.map((span) => {
              const said = display(one.field, span.value);
              const colour = theme.visualization.getColorByName(said.color ?? 'text');
              const full = x(span.to) - x(span.from);
              const breadth = isHistory ? full * (options.colWidth ?? 0.9) : full;
              const text = words(one.field, span.value);
              const isSaid = options.showValue === 'always' || (options.showValue !== 'never' && wide(text) + 8 < breadth && thick > 12);
              return (
                <g key={span.from}>
                  <rect x={x(span.from)} width={Math.max(0.5, breadth)} y={lane * place + (lane - thick) / 2} height={thick} fill={colour}
                    fillOpacity={(one.field.config.custom?.fillOpacity ?? 70) / 100} stroke={colour} strokeWidth={one.field.config.custom?.lineWidth ?? 0} />
                  {isSaid && (
                    <text x={x(span.from) + (options.alignValue === 'left' ? 4 : breadth / 2)} y={lane * (place + 0.5) + 4} fontSize={12}
                      textAnchor={options.alignValue === 'left' ? 'start' : 'middle'} fill={theme.colors.getContrastText(colour, 2)}>{text}</text>
                  )}
                </g>
              );
            })}
          </g>
        ))}
        <Marks events={events} x={x} top={0} height={bottom} theme={theme} />
        <TimeAxis range={timeRange} x={x} width={width - left} top={bottom} theme={theme} timeZone={timeZone} />
      </Plot>
      {shown && <Legend entries={entries(all, theme)} theme={theme} />}
    </div>
  );
}

/** What the colours mean: the words that were said, or from which value on each colour is. */
function entries(all: Lane[], theme: ReturnType<typeof useTheme2>): Array<{ name: string; colour: string }> {
  const { field } = all[0];
  const named = (colour: string) => theme.visualization.getColorByName(colour);
  if (field.config.color?.mode === 'thresholds' && !field.config.mappings?.length) {
    const steps = field.config.thresholds?.steps ?? [];
    return steps.map((step, place) => ({
      name: place ? `${words(field, step.value)}+` : `< ${steps[1] ? words(field, steps[1].value) : ''}`, colour: named(step.color),
    }));
  }
  const said = new Map<string, string>();
  for (const lane of all) {
    for (const span of lane.spans) {
      const one = display(lane.field, span.value);
      said.set(words(lane.field, span.value), named(one.color ?? 'text'));
    }
  }
  return [...said].slice(0, 30).map(([name, colour]) => ({ name, colour }));
}
