/** Time series: lines over the drawn range, with the legend below. */
import { FieldType } from '@grafana/data';
import { TimeSeries, TooltipDisplayMode } from '@grafana/ui';
import { withOptions } from '../fields.js';
import { Empty } from './empty.jsx';

const LEGEND = { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] };

export function Lines({ panel, frames, width, height, context }) {
  if (!frames.length) return <Empty panel={panel} width={width} height={height} context={context} />;
  return (
    <TimeSeries
      frames={withOptions(panel, frames.map(withoutNaN), context)}
      structureRev={1}
      width={width}
      height={height}
      timeRange={context.range}
      timeZone={context.zone}
      legend={{ ...LEGEND, ...panel.options?.legend }}
      options={{ tooltip: { mode: TooltipDisplayMode.None }, ...panel.options }}
    />
  );
}

/** A share of nothing is a gap in a line, as in Grafana. */
function withoutNaN(frame) {
  const fields = frame.fields.map((field) =>
    field.type === FieldType.number
      ? { ...field, values: field.values.map((value) => (Number.isFinite(value) ? value : null)) }
      : field
  );
  return { ...frame, fields };
}
