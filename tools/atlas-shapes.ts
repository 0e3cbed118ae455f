// The little language in which tools/atlas-areas.ts says what an atlas file may hold.

/** Where in a file: keys and indices from its top. */
export type Path = readonly (string | number)[];

type Report = (path: Path, what: string) => void;

/** Checks that a value is a T, and calls `report` for everything that is wrong. */
export interface Shape<T> {
  (value: unknown, path: Path, report: Report): void;
  /** Never there: makes shapes of different types different types. */
  readonly checks?: T;
}

/** The shape of a key that may be missing. */
interface OptionalShape<T> {
  readonly ifThere: Shape<T>;
}

/** The shapes of the keys of T: exactly those it has, optional where they are optional in it. */
type Fields<T> = {
  readonly [K in keyof T]-?: undefined extends T[K] ? OptionalShape<Exclude<T[K], undefined>> : Shape<T[K]>;
};

export const text: Shape<string> = (value, path, report) => {
  if (typeof value !== 'string' || value.trim() !== value || value === '') report(path, `${show(value)} is not a text`);
};

export const number: Shape<number> = (value, path, report) => {
  if (typeof value !== 'number') report(path, `${show(value)} is not a number`);
};

export const flag: Shape<boolean> = (value, path, report) => {
  if (typeof value !== 'boolean') report(path, `${show(value)} is neither true nor false`);
};

export const always: Shape<true> = (value, path, report) => {
  if (value !== true) report(path, `${show(value)} is not true`);
};

export function matching(pattern: RegExp, meaning: string): Shape<string> {
  return (value, path, report) => {
    if (typeof value !== 'string' || !pattern.test(value)) report(path, `${show(value)} is not ${meaning}`);
  };
}

export function oneOf<const T extends string>(...choices: readonly T[]): Shape<T> {
  return (value, path, report) => {
    if (!choices.some((choice) => choice === value)) report(path, `${show(value)} is none of ${choices.join(', ')}`);
  };
}

export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, path, report) => {
    if (!Array.isArray(value)) report(path, `${show(value)} is not a list`);
    else for (const [index, item] of value.entries()) shape(item, [...path, index], report);
  };
}

/** A mapping with these keys and no others; a key whose shape is `optional(...)` may be missing. */
export function record<T extends object>(fields: Fields<T>): Shape<T> {
  const shapes = Object.entries<Shape<unknown> | OptionalShape<unknown>>(fields);
  return (value, path, report) => {
    if (!isMapping(value)) return report(path, `${show(value)} is not a mapping`);
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(fields, key)) report([...path, key], `unknown key "${key}"`);
    }
    for (const [key, shape] of shapes) {
      const isOptional = 'ifThere' in shape;
      if (value[key] !== undefined) (isOptional ? shape.ifThere : shape)(value[key], [...path, key], report);
      else if (!isOptional) report(path, `"${key}" is missing`);
    }
  };
}

/** A mapping from names of one shape to values of another. */
export function mapOf<T>(keyShape: Shape<string>, valueShape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, path, report) => {
    if (!isMapping(value)) return report(path, `${show(value)} is not a mapping`);
    for (const [key, item] of Object.entries(value)) {
      keyShape(key, [...path, key], report);
      valueShape(item, [...path, key], report);
    }
  };
}

/** A text, or else something of another shape. */
export function textOr<T>(shape: Shape<T>): Shape<string | T> {
  return (value, path, report) => (typeof value === 'string' ? text : shape)(value, path, report);
}

export function optional<T>(ifThere: Shape<T>): OptionalShape<T> {
  return { ifThere };
}

/** The name of a kernel function as it is normalised: no compiler suffix. */
export const functionName = matching(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a function name');

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
