import type { ComponentChildren } from 'preact';
import { takeBackLast } from '../app/chips.tsx';

/** Says what a view has nothing of, with a button that takes back what was narrowed last. */
export function NothingLeft({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="empty">
      <p>{children}</p>
      <p>
        <button type="button" onClick={() => takeBackLast()}>
          Take back what was narrowed last
        </button>
      </p>
    </div>
  );
}
