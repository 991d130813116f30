/** Panel type to component: a new one is one module and one row. */
import { NotDrawn } from './empty.jsx';
import { Rows } from './table.jsx';
import { Text } from './text.jsx';
import { Lines } from './time_series.jsx';
import { Bars, Stat } from './values.jsx';

const BODIES = { stat: Stat, bargauge: Bars, timeseries: Lines, table: Rows, text: Text };

export const isDrawn = (type) => type in BODIES || type === 'row';
export const bodyOf = (type) => BODIES[type] ?? NotDrawn;
