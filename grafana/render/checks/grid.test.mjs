/** The grid and the variables: the two parts that are ours alone. Run with `node --test checks/`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEADER_PX, box, flatten, heightOf } from '../src/grid.js';
import { filled, scope } from '../src/variables.js';

const panel = (id, y, h, more = {}) => ({ id, type: 'stat', gridPos: { x: 0, y, w: 24, h }, ...more });

test('a panel of full width leaves the same gap on both sides', () => {
  const place = box({ x: 0, y: 0, w: 24, h: 1 }, 1920);
  assert.equal(place.left, 8);
  assert.equal(Math.round(place.left + place.width), 1912);
  assert.equal(place.top, HEADER_PX);
});

test('a closed row is opened, and what stands below it moves down', () => {
  const row = panel(1, 0, 1, { type: 'row', collapsed: true, panels: [panel(2, 1, 5)] });
  const places = flatten([row, panel(3, 1, 4)]).map(({ id, gridPos }) => [id, gridPos.y]);
  assert.deepEqual(places, [[1, 0], [2, 1], [3, 6]]);
  assert.equal(heightOf(flatten([row, panel(3, 1, 4)])), HEADER_PX + 10 * 38);
});

test('every written form of a variable is filled in, and an unknown one stays', () => {
  assert.equal(filled('$a ${a} ${a:regex} [[a]] $b', { a: 'x' }), 'x x x x $b');
  assert.equal(filled('${a}', { a: ['x', 'y'] }), '(x|y)');
});

test('"all" becomes what the board says, and a given value stands over it', () => {
  const board = { templating: { list: [{ name: 'force', allValue: '.+', current: { value: '$__all' } }] } };
  assert.deepEqual(scope(board), { force: '.+' });
  assert.deepEqual(scope(board, { force: 'north' }), { force: 'north' });
});
