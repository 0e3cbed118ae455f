import { familyWords } from './families.ts';
import { families } from './graph-state.ts';
import type { GraphModel } from './model.ts';

/** Colours of the families that occur; a button leaves its family in colour and pales the others. */
export function Legend({ model }: { readonly model: GraphModel }) {
  const { data, tree } = model;
  const occurring = new Uint8Array(data.families.length);
  for (let box = 1; box < tree.count; box++) {
    const symbol = tree.symbol[box] as number;
    if (symbol < data.symbols.count) occurring[data.symbols.family[symbol] as number] = 1;
  }
  const chosen = families.value;
  const toggle = (family: string) =>
    families.set(chosen.includes(family) ? chosen.filter((other) => other !== family) : [...chosen, family]);
  return (
    <fieldset class="legend">
      <legend class="spoken">Subsystems in colour</legend>
      {data.families
        .filter((_, i) => occurring[i] === 1)
        .map((family) => (
          <button key={family} type="button" aria-pressed={chosen.includes(family)} onClick={() => toggle(family)}>
            <span class={`swatch family-${family}`} /> {familyWords(family)}
          </button>
        ))}
      <span class="border-key">
        <span class="border-line" /> a context begins: interrupt, softirq, exception
      </span>
    </fieldset>
  );
}
