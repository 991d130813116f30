/** Asks Prometheus for a panel's targets and makes the frames that Grafana's Prometheus source would make. */
import { FieldType, rangeUtil, toDataFrame } from '@grafana/data';
import { box } from './grid.js';
import { transformed } from './transformers.js';
import { filled } from './variables.js';

const SCRAPE_S = 5; // `jsonData.timeInterval` of our data source

/** `{ frames, errors }` of one panel; a row or a text asks nothing. */
export async function framesOf(panel, pageWidth, context) {
  const points = panel.maxDataPoints ?? Math.round(box(panel.gridPos, pageWidth).width);
  const stepS = rangeUtil.calculateInterval(context.range, points, panel.interval || `${SCRAPE_S}s`).intervalMs / 1000;
  const targets = (panel.targets ?? []).filter((target) => target.expr && !target.hide);
  const answers = await Promise.allSettled(targets.map((target) => ask(target, stepS, context)));
  const frames = answers.flatMap((answer, i) =>
    answer.status === 'fulfilled' ? asFrames(answer.value, targets[i], stepS, targets.length) : []
  );
  const errors = answers.filter((answer) => answer.status === 'rejected').map((answer) => String(answer.reason.message));
  return { frames: await transformed(panel, frames, context), asked: targets.length, series: frames.length, errors };
}

async function ask(target, stepS, context) {
  const isInstant = Boolean(target.instant) && !target.range;
  const question = new URLSearchParams({ query: filled(target.expr, { ...context.variables, ...times(context, stepS) }) });
  const toS = context.range.to.valueOf() / 1000;
  if (isInstant) {
    question.set('time', toS);
  } else {
    const fromS = context.range.from.valueOf() / 1000;
    question.set('start', Math.floor(fromS / stepS) * stepS);
    question.set('end', Math.floor(toS / stepS) * stepS);
    question.set('step', stepS);
  }
  const answer = await fetch(`${context.prometheus}/api/v1/${isInstant ? 'query' : 'query_range'}?${question}`);
  const body = await answer.json();
  if (body.status !== 'success') throw new Error(`${target.refId}: ${body.error}`);
  return body.data.result;
}

/** The variables that Grafana makes from the time range. */
function times(context, stepS) {
  const lengthMs = context.range.to.valueOf() - context.range.from.valueOf();
  return {
    __interval: `${stepS}s`,
    __interval_ms: String(stepS * 1000),
    __rate_interval: `${Math.max(stepS + SCRAPE_S, 4 * SCRAPE_S)}s`,
    __range: `${Math.round(lengthMs / 1000)}s`,
    __range_s: String(Math.round(lengthMs / 1000)),
    __range_ms: String(lengthMs),
  };
}

function asFrames(result, target, stepS, targets) {
  if (target.format === 'table') return result.length ? [asTable(result, target, targets)] : [];
  return result.map((series) => asSeries(series, target, stepS));
}

function asSeries({ metric, values, value }, target, stepS) {
  const points = values ?? [value];
  const { __name__, ...labels } = metric;
  const name = legend(target.legendFormat, metric, target);
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: points.map(([s]) => s * 1000), config: { interval: stepS * 1000 } },
      {
        name: __name__ ?? 'Value',
        type: FieldType.number,
        labels,
        values: points.map(([, text]) => number(text)),
        config: name === undefined ? {} : { displayNameFromDS: name },
      },
    ],
  });
}

/** One row for each series: time, its labels, its value. */
function asTable(result, target, targets) {
  const rows = result.flatMap(({ metric, values, value }) => (values ?? [value]).map(([s, text]) => ({ metric, s, text })));
  const names = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map(({ s }) => s * 1000), config: {} },
      ...names.map((name) => ({
        name,
        type: FieldType.string,
        values: rows.map(({ metric }) => metric[name] ?? ''),
        config: { filterable: true },
      })),
      {
        name: targets > 1 ? `Value #${target.refId}` : 'Value',
        type: FieldType.number,
        values: rows.map(({ text }) => number(text)),
        config: {},
      },
    ],
  });
}

/** A series' name: by `legendFormat`; undefined where Grafana itself finds the labels that differ. */
function legend(format, metric, target) {
  if (format === '__auto') return Object.keys(metric).length ? undefined : target.expr;
  if (format) return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? '');
  const { __name__ = '', ...labels } = metric;
  const written = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  return `${__name__}{${written.join(', ')}}`;
}

/** Prometheus writes numbers as texts, infinities with a sign. */
function number(text) {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}
