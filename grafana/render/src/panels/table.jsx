/** Table: the first frame that the transformations leave, as Grafana's panel shows it. */
import { TableNG } from '@grafana/ui/unstable';
import { fieldConfig, withOptions } from '../fields.js';
import { Empty } from './empty.jsx';

export function Rows({ panel, frames, width, height, context }) {
  const [frame] = withOptions(panel, frames, context);
  if (!frame?.length) return <Empty panel={panel} width={width} height={height} context={context} />;
  return (
    <TableNG
      data={frame}
      width={width}
      height={height}
      noHeader={panel.options?.showHeader === false}
      cellHeight={panel.options?.cellHeight ?? 'sm'}
      sortBy={panel.options?.sortBy}
      fieldConfig={fieldConfig(panel)}
      getActions={() => []}
      enableVirtualization={false}
      structureRev={1}
      timeRange={context.range}
    />
  );
}
