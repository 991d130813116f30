/** Draws one board as it is at this moment, then says so in `window.drawn`. */
import 'uplot/dist/uPlot.min.css';
import { createRoot } from 'react-dom/client';
import { createTheme, dateTime } from '@grafana/data';
import { framesOf } from './data.js';
import { readings } from './readings.js';
import { flatten, heightOf } from './grid.js';
import { Page } from './page.jsx';
import { scope } from './variables.js';
import { registerTransformers } from './transformers.js';

const SETTLED_MS = 900; // uPlot draws on animation frames, the table measures itself before it fills

/**
 * What `shoot.mjs` hands over before this page loads.
 * @typedef {object} Job
 * @property {object} board      classic dashboard JSON
 * @property {string} prometheus address of the server, without a slash at the end
 * @property {'dark'|'light'} theme
 * @property {number} width      pixels
 * @property {number} height     least height in pixels; a longer board makes a longer picture
 * @property {number} rangeS     seconds that graphs look back
 * @property {Object<string, string>} variables  values that stand over the board's own
 * @property {string} note       line under the title: what is real in this picture
 */

function timeRange(rangeS) {
  const to = dateTime();
  const from = dateTime(to.valueOf() - rangeS * 1000);
  return { from, to, raw: { from, to } };
}

async function draw(job) {
  registerTransformers();
  const range = timeRange(job.rangeS);
  const context = {
    theme: createTheme({ colors: { mode: job.theme } }),
    range,
    zone: job.board.timezone || 'Europe/London',
    prometheus: job.prometheus,
    variables: scope(job.board, job.variables),
  };
  const panels = flatten(job.board.panels);
  const height = Math.max(job.height, heightOf(panels));
  const results = await Promise.all(panels.map((panel) => framesOf(panel, job.width, context)));
  document.body.style.cssText = `margin:0;width:${job.width}px;height:${height}px;background:${context.theme.colors.background.canvas}`;
  createRoot(document.getElementById('root')).render(
    <Page job={job} panels={panels} results={results} context={context} />
  );
  await document.fonts.ready;
  await new Promise((done) => setTimeout(done, SETTLED_MS));
  return { height, contentHeight: heightOf(panels), panels: readings(panels, results) };
}

window.failures = [];
draw(window.job)
  .then((drawn) => (window.drawn = { ...drawn, failures: window.failures }))
  .catch((error) => (window.drawn = { height: 0, contentHeight: 0, panels: [], failures: [String(error.stack)] }));
