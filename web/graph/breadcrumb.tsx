import { change } from '../app/parameters.ts';
import { boxesTo, type GraphModel, labelOf } from './model.ts';
import { focusOn } from './panel.tsx';

/** What leads to the focus, from the target or entry on; each part zooms out to it. */
export function Breadcrumb({ model, box }: { readonly model: GraphModel; readonly box: number }) {
  const path = boxesTo(model, box);
  return (
    <nav class="breadcrumb" aria-label="Focus">
      <ol>
        <li>
          <button type="button" disabled={box === 0} onClick={() => change(focusOn(model, 0))}>
            all
          </button>
        </li>
        {path.map((at) => (
          <li key={at}>
            <button type="button" disabled={at === box} onClick={() => change(focusOn(model, at))}>
              <code>{labelOf(model, at)}</code>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}
