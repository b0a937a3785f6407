import { type DataFrame, type FieldConfigSource } from '@grafana/data';
import { Icon, PanelChrome, useTheme2 } from '@grafana/ui';
import { Component, type ComponentType, type ReactNode } from 'react';
import { range } from './answers';
import { type Event } from './events';
import { box, height } from './layout';
import { Bars } from './panels/barchart';
import { Empty } from './panels/empty';
import { Heat } from './panels/heatmap';
import { type Drawing } from './panels/kinds';
import { States } from './panels/states';
import { Gauges, Stat } from './panels/stat';
import { Rows } from './panels/table';
import { Words } from './panels/text';
import { Lines } from './panels/timeseries';

type Json = Record<string, any>;

/** A panel with all that it takes to draw it. */
export interface Prepared {
  panel: Json;
  frames: DataFrame[];
  config: FieldConfigSource;
  errors: string[];
}

export interface Shown {
  board: Json;
  boards: Array<{ uid: string; title: string; tags: string[] }>;
  variables: Array<{ name: string; label: string; text: string; isHidden: boolean }>;
  from: number;
  to: number;
  timeZone: string;
  times: string;
  annotations: Array<{ name: string; colour: string; isOn: boolean; events: Event[] }>;
  panels: Prepared[];
  interpolate: (text: string) => string;
}

const KINDS: Record<string, ComponentType<Drawing>> = {
  stat: Stat, timeseries: Lines, table: Rows, barchart: Bars, bargauge: Gauges, 'state-timeline': States, 'status-history': States,
  heatmap: Heat, text: Words,
};
const PADDING = 16;

/** A whole dashboard. */
export function Page({ shown, width }: { shown: Shown; width: number }) {
  const theme = useTheme2();
  const inner = width - 2 * PADDING;
  return (
    <div style={{ width, background: theme.colors.background.canvas, color: theme.colors.text.primary, paddingBottom: PADDING }}>
      <Head shown={shown} />
      <Controls shown={shown} />
      <div style={{ position: 'relative', margin: `0 ${PADDING}px`, height: height(shown.panels.map((one) => one.panel)) }}>
        {shown.panels.map((one) => {
          const { left, top, ...size } = box(one.panel.gridPos, inner);
          return (
            <div key={one.panel.id} data-panel={one.panel.id} style={{ position: 'absolute', left, top, ...size }}>
              <Panel prepared={one} shown={shown} {...size} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Head({ shown }: { shown: Shown }) {
  const theme = useTheme2();
  return (
    <div style={{
      display: 'flex', alignItems: 'center', gap: 8, height: 40, padding: `0 ${PADDING}px`, fontSize: 14,
      borderBottom: `1px solid ${theme.colors.border.weak}`, background: theme.colors.background.primary, color: theme.colors.text.secondary,
    }}>
      Dashboards <Icon name="angle-right" /> <span style={{ color: theme.colors.text.primary, fontWeight: 500 }}>{shown.board.title}</span>
      <span style={{ marginLeft: 12, overflow: 'hidden', whiteSpace: 'nowrap', textOverflow: 'ellipsis' }}>{shown.board.description}</span>
    </div>
  );
}

function Boxed({ label, children }: { label?: string; children: ReactNode }) {
  const theme = useTheme2();
  const edge = { border: `1px solid ${theme.colors.border.weak}`, padding: '0 8px', lineHeight: '30px', height: 32, whiteSpace: 'nowrap' as const };
  return (
    <span style={{ display: 'inline-flex', fontSize: 12 }}>
      {label && <span style={{ ...edge, background: theme.colors.background.secondary, borderRight: 'none', fontWeight: 500 }}>{label}</span>}
      <span style={{ ...edge, background: theme.components.input.background, display: 'inline-flex', alignItems: 'center', gap: 4 }}>{children}</span>
    </span>
  );
}

function Controls({ shown }: { shown: Shown }) {
  const links: Json[] = shown.board.links ?? [];
  return (
    <div style={{ display: 'flex', justifyContent: 'space-between', gap: 16, padding: `12px ${PADDING}px` }}>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8 }}>
        {shown.variables.filter((one) => !one.isHidden).map((one) => (
          <Boxed key={one.name} label={one.label}>{one.text || '–'} <Icon name="angle-down" /></Boxed>
        ))}
        {shown.annotations.map((one) => <Boxed key={one.name}>{one.name} <Toggle isOn={one.isOn} /></Boxed>)}
      </div>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8, justifyContent: 'flex-end' }}>
        {links.flatMap((link) => linked(link, shown)).map((title) => <Boxed key={title}><Icon name="external-link-alt" size="sm" /> {title}</Boxed>)}
        <Boxed><Icon name="clock-nine" size="sm" /> {shown.times}</Boxed>
      </div>
    </div>
  );
}

function linked(link: Json, shown: Shown): string[] {
  if (link.type !== 'dashboards') {
    return [link.title];
  }
  const others = shown.boards.filter((one) => one.uid !== shown.board.uid && link.tags.every((tag: string) => one.tags.includes(tag)));
  return link.asDropdown ? [link.title] : others.map((one) => one.title);
}

function Toggle({ isOn }: { isOn: boolean }) {
  const theme = useTheme2();
  return (
    <span style={{ width: 26, height: 14, borderRadius: 7, background: isOn ? theme.colors.primary.main : theme.colors.secondary.main, position: 'relative' }}>
      <span style={{ position: 'absolute', top: 2, left: isOn ? 14 : 2, width: 10, height: 10, borderRadius: 5, background: theme.colors.text.primary }} />
    </span>
  );
}

function Panel({ prepared, shown, width, height }: { prepared: Prepared; shown: Shown; width: number; height: number }) {
  const theme = useTheme2();
  const { panel, errors } = prepared;
  if (panel.type === 'row') {
    return (
      <div style={{ display: 'flex', alignItems: 'center', gap: 8, height, fontSize: 16, fontWeight: 500 }}>
        <Icon name={panel.collapsed ? 'angle-right' : 'angle-down'} /> {shown.interpolate(panel.title)}
        {panel.collapsed && <span style={{ color: theme.colors.text.secondary, fontSize: 12 }}>({panel.panels.length} panels)</span>}
      </div>
    );
  }
  const Kind = KINDS[panel.type];
  const events = shown.annotations.filter((one) => one.isOn).flatMap((one) => one.events);
  return (
    <PanelChrome title={shown.interpolate(panel.title)} description={panel.description && shown.interpolate(panel.description)} width={width}
      titleItems={panel.links?.length ? <Icon name="external-link-alt" size="sm" /> : undefined} height={height} statusMessage={errors.join('; ') || undefined} displayMode={panel.transparent ? 'transparent' : 'default'}>
      {(innerWidth, innerHeight) => (
        <Guard width={innerWidth} height={innerHeight}>
          {errors.length ? <Empty words={errors.join('\n')} width={innerWidth} height={innerHeight} />
            : Kind ? <Kind panel={panel} options={panel.options ?? {}} frames={prepared.frames} config={prepared.config} width={innerWidth} height={innerHeight}
                timeRange={range(shown.from, shown.to)} timeZone={shown.timeZone} events={events} interpolate={shown.interpolate} />
            : <Empty words={`Panels of type ${panel.type} are drawn by Grafana alone.`} width={innerWidth} height={innerHeight} />}
        </Guard>
      )}
    </PanelChrome>
  );
}

/** What cannot be drawn is said in its place; the other panels are drawn. */
class Guard extends Component<{ children: ReactNode; width: number; height: number }, { failed?: Error }> {
  state: { failed?: Error } = {};
  static getDerivedStateFromError(failed: Error) {
    return { failed };
  }
  render() {
    const { width, height, children } = this.props;
    return this.state.failed ? <Empty words={`cannot be drawn: ${this.state.failed.message}`} width={width} height={height} /> : children;
  }
}
