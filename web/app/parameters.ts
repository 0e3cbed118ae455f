// The state of the page lives in the hash of its address, so that Back, reload and a link that is passed on restore it.
// `#view=paths&where=comm%3Ddb_bench`: what is not there has its default. Parameters stand in the order in which they
// were set last, which tells Escape what was narrowed last.
import { computed, type ReadonlySignal, signal } from '@preact/signals';

/** A change of one parameter, to be made together with others in {@link change}. */
export interface Change {
  readonly name: string;
  /** As it stands in the address; '' for the default, which does not stand there. */
  readonly text: string;
}

/** One thing that the address remembers. */
export interface Parameter<T> {
  readonly name: string;
  /** Read within a component or `computed`, it makes that follow. */
  readonly value: T;
  /** Sets it, as one step that Back undoes; `replace` makes no step (typing in a field). */
  set(value: T, how?: 'step' | 'replace'): void;
  /** For {@link change}. */
  to(value: T): Change;
  /** Whether it has another value than its default. */
  readonly isSet: boolean;
}

/** How a value stands in the address. */
interface Form<T> {
  /** A text that makes no sense gives the default. */
  read(text: string): T;
  write(value: T): string;
}

const address = signal<ReadonlyMap<string, string>>(new Map());

/** A parameter of any form. Names are short, and one of one meaning. */
export function parameter<T>(name: string, { read, write }: Form<T>): Parameter<T> {
  const text: ReadonlySignal<string> = computed(() => address.value.get(name) ?? '');
  const value: ReadonlySignal<T> = computed(() => read(text.value));
  const to = (next: T): Change => ({ name, text: write(next) });
  return {
    name,
    get value() {
      return value.value;
    },
    get isSet() {
      return text.value !== '';
    },
    set: (next, how = 'step') => change([to(next)], how),
    to,
  };
}

/** A text; '' unless told. */
export function textParameter(name: string): Parameter<string> {
  return parameter<string>(name, { read: (text) => text, write: (value) => value });
}

/** A whole number from 0 on; 0 unless told. */
export function wholeParameter(name: string): Parameter<number> {
  return parameter<number>(name, {
    read: (text) => (/^\d{1,6}$/.test(text) ? Number(text) : 0),
    write: (value) => (value === 0 ? '' : String(value)),
  });
}

/** One of a few words, the first of which is the default. */
export function choiceParameter<T extends string>(name: string, choices: readonly [T, ...T[]]): Parameter<T> {
  return parameter<T>(name, {
    read: (text) => choices.find((choice) => choice === text) ?? choices[0],
    write: (value) => (value === choices[0] ? '' : value),
  });
}

/** Several texts, `a,b`; a comma within one is escaped. */
export function listParameter(name: string, fallback: readonly string[] = []): Parameter<readonly string[]> {
  const join = (list: readonly string[]) => list.map((one) => one.replace(/[\\,]/g, '\\$&')).join(',');
  const standard = join(fallback);
  return parameter<readonly string[]>(name, {
    read: (text) => (text === '' ? fallback : splitList(text)),
    write: (list) => (join(list) === standard ? '' : join(list)),
  });
}

function splitList(text: string): string[] {
  return [...text.matchAll(/(?:^|,)((?:[^\\,]|\\.)*)/gs)].map(([, item = '']) => item.replace(/\\(.)/gs, '$1'));
}

/** Makes several changes as one step. Without a difference it makes none. */
export function change(changes: readonly Change[], how: 'step' | 'replace' = 'step'): void {
  const next = new Map(address.value);
  for (const { name, text } of changes) {
    if ((next.get(name) ?? '') === text) continue;
    next.delete(name);
    if (text !== '') next.set(name, text);
  }
  const hash = written(next);
  if (hash === written(address.value)) return;
  address.value = next;
  if (how === 'step') history.pushState(null, '', hash);
  else history.replaceState(null, '', hash);
}

/** The names of the parameters that are set, the one that was set last at the end. */
export function namesSet(): readonly string[] {
  return [...address.value.keys()];
}

/**
 * The address of the page with these changes: what a link would say.
 *
 * @public
 */
export function linkTo(changes: readonly Change[]): string {
  const next = new Map(address.value);
  for (const { name, text } of changes) {
    next.delete(name);
    if (text !== '') next.set(name, text);
  }
  return written(next);
}

function written(parameters: ReadonlyMap<string, string>): string {
  return `#${new URLSearchParams([...parameters]).toString()}`;
}

function follow(): void {
  address.value = new Map(new URLSearchParams(location.hash.slice(1)));
}

/**
 * Takes the state from the address, now and whenever Back or a link changes it.
 *
 * @param initial changes that hold where the address says nothing at all
 */
export function followAddress(initial: readonly Change[]): void {
  follow();
  if (address.value.size === 0 && initial.some(({ text }) => text !== '')) change(initial, 'replace');
  addEventListener('popstate', follow);
  addEventListener('hashchange', follow);
}
