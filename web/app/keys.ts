// Keys of the page and of the view that is shown. `?` lists what is registered here.
import { signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';

/** A key and what it does. */
export interface KeyBinding {
  /** As `KeyboardEvent.key` has it: `j`, `ArrowDown`, `?`. */
  readonly keys: readonly string[];
  /** What the list of keys says: `next row`. */
  readonly does: string;
  /** Returns false where it does nothing at the moment, so that another binding may. */
  readonly run: (event: KeyboardEvent) => unknown;
  /** Only where this element or one within it has the focus. */
  readonly within?: () => Element | null | undefined;
}

/** Keys that belong together, with the heading they have in the list. */
export interface KeyGroup {
  readonly title: string;
  readonly bindings: readonly KeyBinding[];
}

/** The groups that hold now, the innermost last: of the same key the last one that does something wins. */
export const keyGroups = signal<readonly KeyGroup[]>([]);

/** Registers keys while the component is shown. Give the same object every time, or one from `useMemo`. */
export function useKeys(group: KeyGroup): void {
  useLayoutEffect(() => {
    keyGroups.value = [...keyGroups.peek(), group];
    return () => {
      keyGroups.value = keyGroups.peek().filter((one) => one !== group);
    };
  }, [group]);
}

const TYPING = new Set(['text', 'search', 'email', 'number', 'url']);

/** Whether keys that are letters belong to the field somebody types in. */
function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return TYPING.has(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target) && event.key !== 'Escape') return;
  for (const { bindings } of [...keyGroups.peek()].reverse()) {
    for (const { keys, run, within } of bindings) {
      if (!keys.includes(event.key)) continue;
      if (within && !within()?.contains(document.activeElement)) continue;
      if (run(event) === false) continue;
      event.preventDefault();
      return;
    }
  }
}

/** Begins to listen; once. */
export function listenToKeys(): void {
  addEventListener('keydown', onKey);
}
