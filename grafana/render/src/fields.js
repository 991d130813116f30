/** Field options: units, thresholds, mappings and overrides, applied by Grafana's own processors. */
import {
  FieldConfigOptionsRegistry,
  applyFieldOverrides,
  cacheFieldDisplayNames,
  displayNameOverrideProcessor,
  identityOverrideProcessor,
  numberOverrideProcessor,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from '@grafana/data';
import { filled } from './variables.js';

// Options that every panel has. The list itself is in Grafana's core, which is not on npm.
const STANDARD = {
  color: identityOverrideProcessor,
  decimals: numberOverrideProcessor,
  displayName: displayNameOverrideProcessor,
  fieldMinMax: identityOverrideProcessor,
  mappings: valueMappingsOverrideProcessor,
  max: numberOverrideProcessor,
  min: numberOverrideProcessor,
  noValue: stringOverrideProcessor,
  thresholds: thresholdsOverrideProcessor,
  unit: unitOverrideProcessor,
};

// What a panel type colours by when its board says nothing, as its plugin declares it.
const COLOR_BY_TYPE = { timeseries: 'palette-classic' };

// What a time series looks like when its board says nothing.
const CUSTOM_BY_TYPE = {
  timeseries: {
    drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none', showPoints: 'auto',
    pointSize: 5, spanNull: false, axisPlacement: 'auto', axisLabel: '', axisColorMode: 'text', axisBorderShow: false,
    scaleDistribution: { type: 'linear' }, hideFrom: { legend: false, tooltip: false, viz: false },
    stacking: { group: 'A', mode: 'none' }, thresholdsStyle: { mode: 'off' },
  },
  table: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false },
};

/** The panel's field configuration with its type's defaults, and without links: nobody clicks on a picture. */
export function fieldConfig(panel) {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const { links, ...kept } = defaults;
  return {
    defaults: {
      color: { mode: COLOR_BY_TYPE[panel.type] ?? 'thresholds' },
      ...kept,
      custom: { ...CUSTOM_BY_TYPE[panel.type], ...kept.custom },
    },
    overrides: overrides.map((rule) => ({ ...rule, properties: rule.properties.filter(({ id }) => id !== 'links') })),
  };
}

/** Frames that know how to show their values. */
export function withOptions(panel, frames, context) {
  const config = fieldConfig(panel);
  const shown = applyFieldOverrides({
    data: frames,
    fieldConfig: config,
    fieldConfigRegistry: registry(config),
    replaceVariables: (text) => filled(text, context.variables),
    theme: context.theme,
    timeZone: context.zone,
  });
  cacheFieldDisplayNames(shown); // the table reads names from there only
  return shown;
}

/** The standard options, and the panel's own `custom.*` ones as they are. */
function registry(config) {
  const custom = new Set(Object.keys(config.defaults.custom));
  for (const { properties } of config.overrides) {
    for (const { id } of properties) if (id.startsWith('custom.')) custom.add(id.slice('custom.'.length));
  }
  return new FieldConfigOptionsRegistry(() => [
    ...Object.entries(STANDARD).map(([id, process]) => option(id, id, process, false)),
    ...[...custom].map((path) => option(`custom.${path}`, path, identityOverrideProcessor, true)),
  ]);
}

function option(id, path, process, isCustom) {
  return { id, path, name: id, process, isCustom, shouldApply: () => true, override: () => null, editor: () => null };
}
