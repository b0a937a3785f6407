import { type FieldDisplay, VizOrientation, getDisplayValueAlignmentFactors, getFieldDisplayValues } from '@grafana/data';
import { BarGauge, BigValue, BigValueTextMode, VizRepeater, useTheme2 } from '@grafana/ui';
import { Empty } from './empty';
import { type Drawing } from './kinds';

function values({ options, frames, config, interpolate, timeZone }: Drawing, theme: ReturnType<typeof useTheme2>): FieldDisplay[] {
  return getFieldDisplayValues({
    fieldConfig: config, reduceOptions: options.reduceOptions, replaceVariables: interpolate, theme, data: frames, timeZone,
    sparkline: options.graphMode === 'area',
  });
}

function orientation(given: string | undefined, width: number, height: number): VizOrientation {
  if (given === 'horizontal' || given === 'vertical') {
    return given as VizOrientation;
  }
  return width > height ? VizOrientation.Vertical : VizOrientation.Horizontal;
}

/** Big numbers: Grafana's own component. */
export function Stat(drawing: Drawing) {
  const theme = useTheme2();
  const { options, width, height } = drawing;
  return (
    <VizRepeater getValues={() => values(drawing, theme)} getAlignmentFactors={getDisplayValueAlignmentFactors} source={drawing.frames}
      width={width} height={height} itemSpacing={3} renderCounter={0} autoGrid orientation={orientation(options.orientation, width, height)}
      renderValue={({ value, width, height, count, alignmentFactors }) => (
        <BigValue value={value.display} count={count} sparkline={value.sparkline} colorMode={options.colorMode} graphMode={options.graphMode}
          justifyMode={options.justifyMode} textMode={mode(options.textMode, value)} alignmentFactors={alignmentFactors} text={options.text}
          width={width} height={height} theme={theme} hasLinks={false} percentChangeColorMode={'standard' as never} />
      )} />
  );
}

/** A name is left out where it says nothing, as Grafana does with a single value. */
function mode(given: string, value: FieldDisplay): BigValueTextMode {
  return given === 'auto' && !value.display.title ? BigValueTextMode.Value : (given as BigValueTextMode);
}

/** Bars with their numbers: Grafana's own component. */
export function Gauges(drawing: Drawing) {
  const theme = useTheme2();
  const { options, width, height, config } = drawing;
  if (!drawing.frames.some((frame) => frame.length)) {
    return <Empty words={config.defaults.noValue ?? 'No data'} width={width} height={height} />;
  }
  return (
    <VizRepeater getValues={() => values(drawing, theme)} getAlignmentFactors={getDisplayValueAlignmentFactors} source={drawing.frames}
      width={width} height={height} itemSpacing={10} renderCounter={0} orientation={orientation(options.orientation, width, height)}
      minVizHeight={options.minVizHeight ?? 16} maxVizHeight={options.maxVizHeight ?? 300} minVizWidth={options.minVizWidth ?? 8}
      renderValue={({ value, width, height, orientation, alignmentFactors }) => (
        <BarGauge value={value.display} field={value.field} display={value.view?.getFieldDisplayProcessor(value.colIndex!)} width={width}
          height={height} orientation={orientation} text={options.text} displayMode={options.displayMode} showUnfilled={options.showUnfilled}
          valueDisplayMode={options.valueMode} namePlacement={options.namePlacement ?? 'auto'} alignmentFactors={alignmentFactors}
          theme={theme} itemSpacing={10} lcdCellWidth={12} isOverflow={false} />
      )} />
  );
}
