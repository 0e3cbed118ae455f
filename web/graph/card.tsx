import type { ComponentChildren } from 'preact';
import { calls, percent } from '../text/numbers.ts';
import { familyWords } from './families.ts';
import { endsContext, factsOf, foldedNames, type GraphModel, isTarget } from './model.ts';
import { tailOf } from './tails.ts';

/** Where a card hangs; null: at the lower edge of the screen, for fingers. */
export type CardPlace = { readonly x: number; readonly y: number } | null;

const WIDTH = 380;
const HEIGHT = 210;
const GAP = 14;

interface CardProps {
  readonly model: GraphModel;
  /** A box, or a tail (`~` of its first box). */
  readonly box: number;
  readonly place: CardPlace;
  /** What can be done with the box, where the pointer is a finger. */
  readonly actions?: ComponentChildren;
}

/** Everything that is known of the box below the pointer. */
export function Card({ model, box, place, actions }: CardProps) {
  const style = place === null ? undefined : hangs(place);
  return (
    <div class={place === null ? 'card docked' : 'card'} style={style} data-box={box}>
      {box < 0 ? <TailText model={model} tail={box} /> : <BoxText model={model} box={box} />}
      {actions}
    </div>
  );
}

function hangs({ x, y }: { readonly x: number; readonly y: number }): { left: string; top: string; width: string } {
  const width = Math.min(WIDTH, innerWidth - 16);
  const left = Math.max(8, Math.min(x + GAP, innerWidth - width - 8));
  const top = y + GAP + HEIGHT > innerHeight ? Math.max(8, y - GAP - HEIGHT) : y + GAP;
  return { left: `${left}px`, top: `${top}px`, width: `${width}px` };
}

function BoxText({ model, box }: { readonly model: GraphModel; readonly box: number }) {
  const facts = factsOf(model, box);
  const where = [facts.place, facts.module].filter((text) => text !== '').join(' · ');
  return (
    <>
      <p class="card-name">
        {facts.isGroup ? <strong>{facts.name}</strong> : <code>{facts.name}</code>}
        {isTarget(model, box) && <span class="tag">target</span>}
        {facts.more > 0 && <span class="tag">{facts.more} folded</span>}
      </p>
      {facts.gloss !== '' && <p>{facts.gloss}</p>}
      {!facts.isGroup && (
        <p class="muted">
          <span class={`swatch family-${facts.family}`} /> {facts.subsystem || familyWords(facts.family)}
          {where !== '' && (
            <>
              <br />
              {where}
            </>
          )}
          {where === '' && facts.family !== 'user' && ' · file not known'}
        </p>
      )}
      <p class="card-calls">
        <strong>{calls(facts.calls)}</strong> · {percent(facts.shareOfAll)} of all
      </p>
      {facts.parentName !== '' && (
        <p>
          {percent(facts.shareOfParent)} of {model.direction === 'callers' ? 'the calls of' : 'what starts in'}{' '}
          <code>{facts.parentName}</code>
        </p>
      )}
      {facts.more > 0 && <p class="muted">With {foldedNames(model, box).slice(1).join(', ')}.</p>}
      {endsContext(model, box) && <p class="muted">A context begins here: what it interrupted is no cause.</p>}
    </>
  );
}

function TailText({ model, tail }: { readonly model: GraphModel; readonly tail: number }) {
  const { count, total, parentName } = tailOf(model, tail);
  const what = model.direction === 'callers' ? 'callers' : 'functions';
  return (
    <>
      <p class="card-name">
        {count} more {what}
        {parentName !== '' && (
          <>
            {' '}
            of <code>{parentName}</code>
          </>
        )}
      </p>
      <p class="card-calls">
        <strong>{calls(total)}</strong> · {percent(total / model.calls)} of all
      </p>
      <p class="muted">Too narrow to draw: click to open.</p>
    </>
  );
}
