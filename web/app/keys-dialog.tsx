import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { keyGroups } from './keys.ts';

/** Whether the list of keys is open. */
export const isKeysShown = signal(false);

const NAMES: Readonly<Record<string, string>> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
  ' ': 'Space',
};

/** Every key that does something now, by where it does. */
export function KeysDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isKeysShown.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isKeysShown.value]);
  return (
    <dialog
      ref={dialog}
      class="keys"
      aria-label="Keys"
      onClose={() => {
        isKeysShown.value = false;
      }}
    >
      <form method="dialog">
        <h2>Keys</h2>
        <button type="submit" aria-label="Close the list of keys">
          ×
        </button>
      </form>
      {keyGroups.value.map(({ title, bindings }) => (
        <section key={title}>
          <h3>{title}</h3>
          <dl>
            {bindings.map(({ keys, does }) => (
              <div key={does}>
                <dt>
                  {keys.map((key) => (
                    <kbd key={key}>{NAMES[key] ?? key}</kbd>
                  ))}
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </dialog>
  );
}
