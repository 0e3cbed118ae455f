import { useEffect, useRef } from 'preact/hooks';

/** One thing that can be done. */
export interface MenuItem {
  readonly text: string;
  /** The key that does the same. */
  readonly key?: string;
  readonly run: () => void;
}

interface MenuProps {
  /** What it is about. */
  readonly title: string;
  readonly items: readonly MenuItem[];
  readonly place: { readonly x: number; readonly y: number };
  readonly onClose: () => void;
}

const WIDTH = 250;
const ITEM = 32;

/** What can be done with a box. Arrows walk, Enter does, Escape leaves. */
export function Menu({ title, items, place, onClose }: MenuProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    list.current?.querySelector('button')?.focus();
    const leave = (event: PointerEvent) => {
      if (!(event.target instanceof Node) || !list.current?.contains(event.target)) onClose();
    };
    addEventListener('pointerdown', leave, true);
    return () => {
      removeEventListener('pointerdown', leave, true);
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  const height = items.length * ITEM + 40;
  const style = {
    left: `${Math.max(8, Math.min(place.x, innerWidth - WIDTH - 8))}px`,
    top: `${Math.max(8, Math.min(place.y, innerHeight - height - 8))}px`,
    width: `${WIDTH}px`,
  };
  return (
    <div
      ref={list}
      class="menu"
      style={style}
      role="menu"
      aria-label={title}
      onKeyDown={(event) => walk(event, onClose)}
    >
      <p class="muted" role="presentation">
        <code>{title}</code>
      </p>
      {items.map(({ text, key, run }) => (
        <button
          key={text}
          type="button"
          role="menuitem"
          tabIndex={-1}
          onClick={() => {
            onClose();
            run();
          }}
        >
          <span>{text}</span>
          {key !== undefined && <kbd>{key}</kbd>}
        </button>
      ))}
    </div>
  );
}

function walk(event: KeyboardEvent, onClose: () => void): void {
  const list = event.currentTarget;
  if (!(list instanceof HTMLElement)) return;
  event.stopPropagation();
  const buttons = [...list.querySelectorAll('button')];
  const at = buttons.findIndex((button) => button.matches(':focus'));
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step !== undefined) buttons.at((at + step) % buttons.length)?.focus();
  else if (event.key === 'Home') buttons[0]?.focus();
  else if (event.key === 'End') buttons.at(-1)?.focus();
  else if (event.key === 'Escape' || event.key === 'Tab') onClose();
  else return;
  event.preventDefault();
}
