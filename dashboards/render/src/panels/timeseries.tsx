import { type GrafanaTheme2 } from '@grafana/data';
import { TimeSeries, type UPlotConfigBuilder, useTheme2 } from '@grafana/ui';
import type uPlot from 'uplot';
import { type Event } from '../events';
import { Empty } from './empty';
import { type Drawing } from './kinds';

const marked = new WeakSet<UPlotConfigBuilder>();

/** Lines over time: Grafana's own component. */
export function Lines({ panel, options, frames, config, width, height, timeRange, timeZone, events }: Drawing) {
  const theme = useTheme2();
  if (!frames.some((frame) => frame.length)) {
    return <Empty words={config.defaults.noValue ?? 'No data'} width={width} height={height} />;
  }
  return (
    <TimeSeries frames={frames} structureRev={panel.id} width={width} height={height} timeRange={timeRange} timeZone={timeZone}
      legend={{ calcs: [], ...options.legend }} options={options}>
      {(builder: UPlotConfigBuilder) => {
        if (!marked.has(builder)) { // it is asked again whenever something around it is drawn anew
          marked.add(builder);
          builder.addHook('draw', (plot) => draw(plot, events, theme));
        }
        return null;
      }}
    </TimeSeries>
  );
}

/** Each event as Grafana draws it, a dashed line with a mark below it; its words stand beside, as nobody points at a picture. */
function draw(plot: uPlot, events: Event[], theme: GrafanaTheme2) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${10 * ratio}px Inter`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  const taken = [-Infinity, -Infinity, -Infinity]; // where the words end, by line
  const said = new Set<string>();
  for (const event of [...events].sort((one, other) => one.time - other.time)) {
    const colour = theme.visualization.getColorByName(event.colour);
    const within = (at: number) => Math.max(bbox.left, Math.min(bbox.left + bbox.width, plot.valToPos(at, 'x', true)));
    const [left, right] = [within(event.time), within(event.timeEnd)];
    ctx.strokeStyle = ctx.fillStyle = colour;
    if (right > left) {
      ctx.globalAlpha = 0.1;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillRect(left, bbox.top + bbox.height, right - left, 4 * ratio);
    }
    ctx.setLineDash([5 * ratio, 5 * ratio]);
    ctx.lineWidth = 2 * ratio;
    for (const x of right > left ? [left, right] : [left]) {
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.beginPath();
    ctx.moveTo(left - 5 * ratio, bbox.top + bbox.height + 5 * ratio);
    ctx.lineTo(left + 5 * ratio, bbox.top + bbox.height + 5 * ratio);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.fill();
    const words = event.text || event.name;
    const wide = ctx.measureText(words).width;
    const start = Math.min(left + 4 * ratio, bbox.left + bbox.width - wide);
    const line = taken.findIndex((end) => start > end);
    const once = `${words} at ${Math.round(left)}`; // two replicas or versions say the same
    if (line >= 0 && !said.has(once)) {
      said.add(once);
      ctx.fillText(words, start, bbox.top + (9 + 12 * line) * ratio);
      taken[line] = start + wide + 6 * ratio;
    }
  }
  ctx.restore();
}
