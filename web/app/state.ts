// What the page shows: every part of it is a parameter of the address (parameters.ts), so that Back, reload and a link
// restore it. Views take the data as a property and read these:
//
//     import { change } of app/parameters.ts, { focus, view, where } of app/state.ts
//
//     export function Paths({ page }: ViewProps) {
//       where.value                                      // read in a component or computed: follows
//       focus.set('7')                                   // a step that Back undoes
//       search.set('ext4', 'replace')                    // no step, while somebody types
//       change([view.to('paths'), focus.to('7')])        // several as one step
//     }
//
// Which calls these let through is in selected.ts, as a mask over the rows of the data.
//
// A view that needs a parameter of its own makes one (`choiceParameter('flip', ['icicle', 'flame'])`) in its own file.
// Parameters that narrow what is shown are listed in `narrowings`: they have a chip with × each, and Escape takes the
// last one back. Keys of a view are given to `useKeys` (keys.ts) while the view is shown; `?` lists them.
import {
  choiceParameter,
  listParameter,
  type Parameter,
  parameter,
  textParameter,
  wholeParameter,
} from './parameters.ts';

/** The views in the order of their keys 1 to 5. */
export const VIEWS = ['overview', 'paths', 'functions', 'time', 'compare'] as const;
export type ViewName = (typeof VIEWS)[number];

/** Which view is shown. */
export const view = choiceParameter<ViewName>('view', ['overview', 'paths', 'functions', 'time', 'compare']);

/**
 * The dimensions that calls are grouped by, one or two.
 */
export const by = listParameter('by', ['site']);

/** A filter expression in the language of `--where`; '' lets everything through. */
export const where = textParameter('where');

/** What is looked for: a text, or `/regex/`. Marks in graphs, narrows tables. */
export const search = textParameter('search');

/** The stretch of time in milliseconds since counting began that was chosen in the Time view; null: all of it. */
export const span = parameter<readonly [from: number, to: number] | null>('span', {
  read: (text) => {
    const [, from, to] = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text) ?? [];
    return from === undefined || to === undefined ? null : [Number(from), Number(to)];
  },
  write: (value) => (value === null ? '' : `${Math.round(value[0])}-${Math.round(value[1])}`),
});

/** What the Paths view is zoomed to: the functions from the target outwards; empty: the whole tree. */
export const focus = listParameter('focus');

/**
 * The function whose callers and callees the sandwich shows; '': none.
 */
export const sandwich = textParameter('sandwich');

/** Functions that were hidden: calls through them are left out everywhere. */
export const hidden = listParameter('hide');

/**
 * Labels of the chosen group, one for each dimension of `by`; empty: none.
 */
export const chosen = listParameter('group');

/** Which path of the chosen group is told, by its place among them; the commonest unless chosen. */
export const chosenPath = wholeParameter('path');

/**
 * What the table of groups is sorted by: a column, with `-` in front for the other direction.
 */
export const sort = textParameter('sort');

/** Index of the census that is shown, where there are several. */
export const census = wholeParameter('census');

/** Light or dark; the system's unless told. */
export const theme = choiceParameter('theme', ['system', 'light', 'dark']);

/** A parameter that leaves something out, as its chip tells it. */
export interface Narrowing {
  readonly parameter: Parameter<unknown>;
  /** What stands before the value on the chip. */
  readonly label: string;
  /** The value as it stands there. */
  readonly text: () => string;
  /** Takes it back. */
  readonly clear: () => void;
}

/** Every parameter that leaves calls out or marks some; views may add their own (`narrowings.push`). */
export const narrowings: Narrowing[] = [
  { parameter: where, label: 'only', text: () => where.value, clear: () => where.set('') },
  { parameter: search, label: 'search', text: () => search.value, clear: () => search.set('') },
  { parameter: span, label: 'time', text: () => spanText(span.value), clear: () => span.set(null) },
  { parameter: hidden, label: 'hidden', text: () => hidden.value.join(', '), clear: () => hidden.set([]) },
  {
    parameter: focus,
    label: 'focus',
    text: () => focus.value.at(-1) ?? '',
    clear: () => focus.set([]),
  },
];

function spanText(value: readonly [number, number] | null): string {
  return value === null ? '' : `${(value[0] / 1000).toFixed(1)} to ${(value[1] / 1000).toFixed(1)} s`;
}
