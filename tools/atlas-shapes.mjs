// The little language in which tools/atlas-areas.mjs says what an atlas file may hold.
// A shape is a function (value, path, report): it calls report(path, what) for everything that is wrong.

export const text = (value, path, report) => {
  if (typeof value !== 'string' || value.trim() !== value || value === '') report(path, `${show(value)} is not a text`);
};

export const number = (value, path, report) => {
  if (typeof value !== 'number') report(path, `${show(value)} is not a number`);
};

export const flag = (value, path, report) => {
  if (typeof value !== 'boolean') report(path, `${show(value)} is neither true nor false`);
};

export const matching = (pattern, meaning) => (value, path, report) => {
  if (typeof value !== 'string' || !pattern.test(value)) report(path, `${show(value)} is not ${meaning}`);
};

export const oneOf =
  (...choices) =>
  (value, path, report) => {
    if (!choices.includes(value)) report(path, `${show(value)} is none of ${choices.join(', ')}`);
  };

export const listOf = (shape) => (value, path, report) => {
  if (!Array.isArray(value)) report(path, `${show(value)} is not a list`);
  else for (const [index, item] of value.entries()) shape(item, [...path, index], report);
};

/** A mapping with these keys and no others; a key whose shape is `optional(...)` may be missing. */
export const record = (fields) => (value, path, report) => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    report(path, `${show(value)} is not a mapping`);
    return;
  }
  for (const key of Object.keys(value)) if (!Object.hasOwn(fields, key)) report([...path, key], `unknown key "${key}"`);
  for (const [key, shape] of Object.entries(fields)) {
    if (value[key] !== undefined) shape(value[key], [...path, key], report);
    else if (!shape.optional) report(path, `"${key}" is missing`);
  }
};

/** A mapping from names of one shape to values of another. */
export const mapOf = (keyShape, valueShape) => (value, path, report) => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    report(path, `${show(value)} is not a mapping`);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    keyShape(key, [...path, key], report);
    valueShape(item, [...path, key], report);
  }
};

export const optional = (shape) => Object.assign((...args) => shape(...args), { optional: true });

/** The name of a kernel function as it is normalised: no compiler suffix. */
export const functionName = matching(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a function name');

const show = (value) => JSON.stringify(value) ?? 'nothing';
