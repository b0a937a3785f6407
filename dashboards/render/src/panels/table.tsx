import { type Field, FieldType, getFieldDisplayName } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { type CSSProperties } from 'react';
import { Empty } from './empty';
import { type Drawing } from './kinds';
import { display, words } from './svg';

const HEIGHTS: Record<string, number> = { sm: 36, md: 42, lg: 48 };

/** Rows of a frame; what does not fit would be scrolled to. */
export function Rows({ options, frames, config, width, height }: Drawing) {
  const theme = useTheme2();
  const frame = frames[0];
  const fields = (frame?.fields ?? []).filter((field) => !field.config.custom?.hidden && !field.config.custom?.hideFrom?.viz);
  if (!frame?.length || !fields.length) {
    return <Empty words={config.defaults.noValue ?? 'No data'} width={width} height={height} />;
  }
  const row = HEIGHTS[options.cellHeight ?? 'sm'];
  const order = sorted(fields, frame.length, options.sortBy?.[0], frame);
  const widths = share(fields, width);
  const line: CSSProperties = { borderBottom: `1px solid ${theme.colors.border.weak}`, height: row, padding: 6, boxSizing: 'border-box' };
  return (
    <div style={{ width, height, overflow: 'hidden' }}>
      <table style={{ width, tableLayout: 'fixed', borderCollapse: 'collapse', fontSize: 14 }}>
        <colgroup>{fields.map((field, place) => <col key={place} style={{ width: widths[place] }} />)}</colgroup>
        {options.showHeader !== false && (
          <thead>
            <tr>{fields.map((field, place) => (
              <th key={place} style={{ ...line, ...cut, textAlign: side(field), color: theme.colors.text.primary, fontWeight: 500, fontSize: 12 }}>
                {getFieldDisplayName(field, frame, frames)}
              </th>
            ))}</tr>
          </thead>
        )}
        <tbody>
          {order.map((index) => (
            <tr key={index}>{fields.map((field, place) => (
              <Cell key={place} field={field} value={field.values[index]} line={line} width={widths[place]} />
            ))}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const cut: CSSProperties = { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' };

function Cell({ field, value, line, width }: { field: Field; value: unknown; line: CSSProperties; width: number }) {
  const theme = useTheme2();
  const shown = display(field, value);
  const kind = field.config.custom?.cellOptions ?? { type: 'auto' };
  const colour = theme.visualization.getColorByName(shown.color ?? 'text');
  const style: CSSProperties = { ...line, ...cut, textAlign: side(field), color: theme.colors.text.primary };
  if (kind.type === 'color-text') {
    style.color = colour;
  }
  if (kind.type === 'color-background' && shown.color && shown.color !== 'transparent') {
    style.background = colour;
    style.color = theme.colors.getContrastText(colour);
  }
  const text = words(field, value);
  const linked = (field.config.links?.length ?? 0) > 0 && text;
  if (kind.type === 'gauge' && typeof value === 'number') {
    return <td style={{ ...style, padding: 4 }}><Gauge field={field} value={value} colour={colour} text={text} width={width - 8} /></td>;
  }
  return <td style={style}>{linked ? <span style={{ textDecoration: 'underline' }}>{text}</span> : text}</td>;
}

function Gauge({ field, value, colour, text, width }: { field: Field; value: number; colour: string; text: string; width: number }) {
  const { min = 0, max = 100 } = { ...field.state?.range, ...Object.fromEntries(Object.entries(field.config).filter(([, one]) => one !== undefined)) } as any;
  const room = width - 64;
  const length = Math.max(0, Math.min(1, (value - (min ?? 0)) / ((max ?? 1) - (min ?? 0) || 1))) * room;
  return (
    <div style={{ display: 'flex', alignItems: 'center', gap: 6, height: 26 }}>
      <div style={{ width: room, height: 26 }}>
        <div style={{ width: length, height: 26, background: colour, opacity: 0.35, borderRight: `2px solid ${colour}` }} />
      </div>
      <span style={{ color: colour, fontSize: 14 }}>{text}</span>
    </div>
  );
}

function side(field: Field): 'left' | 'right' | 'center' {
  const given = field.config.custom?.align;
  return given && given !== 'auto' ? given : field.type === FieldType.number && !field.config.mappings?.length ? 'right' : 'left';
}

/** Columns whose width is given have it; the others share what is left. */
function share(fields: Field[], width: number): number[] {
  const given = fields.map((field) => field.config.custom?.width as number | undefined);
  const left = width - given.reduce((sum: number, one) => sum + (one ?? 0), 0);
  const each = Math.max(50, left / Math.max(1, given.filter((one) => one === undefined).length));
  return given.map((one) => one ?? each);
}

function sorted(fields: Field[], length: number, by: { displayName: string; desc?: boolean } | undefined, frame: any): number[] {
  const order = [...Array(length).keys()];
  const field = by && fields.find((one) => getFieldDisplayName(one, frame) === by.displayName);
  if (!field) {
    return order;
  }
  const sign = by.desc ? -1 : 1;
  const key = (row: number) => field.values[row] ?? -Infinity;
  return order.sort((one, other) => sign * (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0));
}
