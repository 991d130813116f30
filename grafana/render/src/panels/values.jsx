/** Stat and bar gauge: a panel's values, one beside the other. */
import { BarGauge, BigValue, VizRepeater } from '@grafana/ui';
import { getDisplayValueAlignmentFactors, getFieldDisplayValues } from '@grafana/data';
import { fieldConfig, withOptions } from '../fields.js';
import { filled } from '../variables.js';

/** What both share; without any series it is the one value that `null` is mapped to. */
function repeated({ panel, frames, context }, wantsSparkline) {
  const data = withOptions(panel, frames, context);
  return {
    source: data,
    renderCounter: 1,
    orientation: panel.options?.orientation ?? 'auto',
    getAlignmentFactors: getDisplayValueAlignmentFactors,
    getValues: () =>
      getFieldDisplayValues({
        data,
        fieldConfig: fieldConfig(panel),
        reduceOptions: { calcs: ['lastNotNull'], values: false, ...panel.options?.reduceOptions },
        replaceVariables: (text) => filled(text, context.variables),
        sparkline: wantsSparkline,
        theme: context.theme,
        timeZone: context.zone,
      }),
  };
}

export function Stat(props) {
  const { panel, width, height, context } = props;
  const { graphMode = 'area', colorMode = 'value', justifyMode = 'auto', textMode = 'auto', wideLayout = true, text } =
    panel.options ?? {};
  const isNamed = Boolean(panel.fieldConfig?.defaults?.displayName) || !panel.title;
  return (
    <VizRepeater
      {...repeated(props, graphMode !== 'none')}
      width={width}
      height={height}
      itemSpacing={3}
      autoGrid
      renderValue={({ value, ...place }) => (
        <BigValue
          value={value.display}
          sparkline={value.sparkline && { ...value.sparkline, timeRange: context.range }}
          count={place.count}
          width={place.width}
          height={place.height}
          alignmentFactors={place.alignmentFactors}
          parentOrientation={place.orientation}
          colorMode={colorMode}
          graphMode={graphMode}
          justifyMode={justifyMode}
          textMode={textMode === 'auto' && isNamed ? 'value_and_name' : textMode}
          text={text}
          disableWideLayout={!wideLayout}
          theme={context.theme}
        />
      )}
    />
  );
}

const BARS = { displayMode: 'gradient', showUnfilled: true, valueMode: 'color', namePlacement: 'auto', sizing: 'auto' };
const AUTO_SIZE = { minVizWidth: 8, minVizHeight: 16, maxVizHeight: 300 };

export function Bars(props) {
  const { panel, width, height, context } = props;
  const options = { ...BARS, ...panel.options };
  const size = options.sizing === 'manual' ? { ...AUTO_SIZE, ...panel.options } : AUTO_SIZE;
  return (
    <VizRepeater
      {...repeated(props, false)}
      width={width}
      height={height}
      itemSpacing={options.displayMode === 'lcd' ? 2 : 10}
      minVizWidth={size.minVizWidth}
      minVizHeight={size.minVizHeight}
      maxVizHeight={size.maxVizHeight}
      renderValue={({ value, ...place }) => (
        <BarGauge
          value={value.display}
          field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex)}
          width={place.width}
          height={place.height}
          orientation={place.orientation}
          alignmentFactors={place.alignmentFactors}
          displayMode={options.displayMode}
          showUnfilled={options.showUnfilled}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          text={options.text}
          itemSpacing={10}
          lcdCellWidth={12}
          theme={context.theme}
        />
      )}
    />
  );
}
