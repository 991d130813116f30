/** A panel's transformations, done by the ones that `@grafana/data` brings; an unknown one is an error. */
import { standardTransformers, standardTransformersRegistry, transformDataFrame } from '@grafana/data';
import { lastValueFrom } from 'rxjs';
import { filled } from './variables.js';

/** Grafana's own list of transformations stands in its core; ours is what the package exports. */
export function registerTransformers() {
  const known = Object.values(standardTransformers).filter((each) => each?.id && each.operator);
  const byId = new Map(known.map((each) => [each.id, each])); // some are exported under two names
  standardTransformersRegistry.setInit(() => [...byId.values()].map(entry));
}

function entry(transformer) {
  return {
    id: transformer.id,
    name: transformer.name ?? transformer.id,
    transformation: () => Promise.resolve(transformer),
    defaultOptions: transformer.defaultOptions,
    editor: () => null,
    imageDark: '',
    imageLight: '',
  };
}

/** The frames that a panel's transformations leave. */
export async function transformed(panel, frames, context) {
  const wanted = (panel.transformations ?? []).filter((each) => !each.disabled);
  for (const { id } of wanted) {
    if (!standardTransformersRegistry.getIfExists(id)) throw new Error(`${panel.title}: no transformation ${id} on npm`);
  }
  if (!wanted.length || !frames.length) return frames;
  return lastValueFrom(transformDataFrame(wanted, frames, { interpolate: (text) => filled(text, context.variables) }));
}
