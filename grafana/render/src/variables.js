/** Template variables: their values, and texts with `$name`, `${name}` or `${name:regex}` filled in. Pure. */
const WRITTEN = /\$\{(\w+)(?:\.[^}:]+)?(?::(\w+))?\}|\$(\w+)|\[\[(\w+)\]\]/g;
const ALL = '$__all';

/** Values by name: what the board has chosen, and over it what the caller gives. */
export function scope(board, given = {}) {
  const chosen = {};
  for (const variable of board.templating?.list ?? []) {
    const value = variable.current?.value ?? variable.query ?? '';
    const isAll = [value].flat().includes(ALL);
    chosen[variable.name] = isAll ? (variable.allValue ?? '.*') : value;
  }
  return { ...chosen, ...given };
}

/** Variables that a viewer would see above the board. */
export function visible(board, values) {
  return (board.templating?.list ?? [])
    .filter((variable) => (variable.hide ?? 0) === 0 || variable.hide === 'dontHide')
    .map((variable) => ({ label: variable.label || variable.name, value: [values[variable.name]].flat().join(', ') }));
}

/** The text with every known variable in place; an unknown one stays as it is written. */
export function filled(text, values) {
  return text.replace(WRITTEN, (written, braced, format, plain, old) => {
    const value = values[braced ?? plain ?? old];
    return value === undefined ? written : formatted(value, format);
  });
}

function formatted(value, format) {
  if (!Array.isArray(value)) return String(value);
  if (format === 'csv') return value.join(',');
  return value.length === 1 ? String(value[0]) : `(${value.join('|')})`;
}
