import type { Described, TableGroup } from '../calls/table.ts';
import type { Confidence as Sure } from '../report.ts';
import { calls } from '../text/numbers.ts';

interface ConfidenceProps {
  readonly group: TableGroup;
  readonly said: Described;
}

const DECISION: Readonly<Record<Sure, string>> = {
  certain: 'each path admits nothing else',
  likely: 'some paths admit other decisions, which are less probable',
  unknown: 'only the names of the functions are known',
};
const SUBJECT: Readonly<Record<Sure, string>> = {
  certain: 'each path admits only this one',
  likely: 'some paths admit others, which are less probable',
  unknown: 'the atlas knows none for most of the paths',
};
const ENTRY: Readonly<Record<Sure, string>> = {
  certain: 'each path ends where the kernel was entered',
  likely: 'some paths end before their entry, or were read from doubted frames',
  unknown: 'the stacks end before their entry',
};

/** How sure what is said is, part by part, and why. */
export function Confidence({ group, said }: ConfidenceProps) {
  const { doubted, confidence } = said;
  const { decision, subject, entry } = confidence;
  const candidates = group.told?.subject?.candidates ?? [];
  const others = candidates.filter(({ name }) => name !== said.subject).map(({ name }) => name);
  return (
    <section>
      <h3>How sure</h3>
      <dl class="sure">
        <Part name="What happened" sure={decision} why={DECISION[decision]} />
        <Part
          name="What it is about"
          sure={said.subject === null ? 'unknown' : subject}
          why={
            others.length > 0 && subject !== 'certain'
              ? `the path also fits ${others.slice(0, 3).join(', ')}`
              : SUBJECT[said.subject === null ? 'unknown' : subject]
          }
        />
        <Part name="Where it starts" sure={entry} why={ENTRY[entry]} />
      </dl>
      {doubted > 0 && (
        <p class="doubt">
          The path of {calls(doubted)} was read from frames that the unwinder doubted, or lacks lines.
        </p>
      )}
    </section>
  );
}

function Part({ name, sure, why }: { readonly name: string; readonly sure: Sure; readonly why: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <strong class={`sure-${sure}`}>{sure}</strong>: {why}
      </dd>
    </div>
  );
}
