import { useMemo } from 'preact/hooks';
import { copyText } from '../app/clipboard.ts';
import { useKeys } from '../app/keys.ts';
import { by, search, span } from '../app/state.ts';
import { type Compared, comparedOf, type Run, type Side } from '../compare/comparison.ts';
import { copyOf } from '../compare/copy.ts';
import { differenceTree } from '../compare/difference-tree.ts';
import { differencesOf } from '../compare/differences.ts';
import { DifferenceGraph } from '../compare/graph.tsx';
import { RATES, type Rate, rateText } from '../compare/rates.ts';
import { baseSide, includedInSides, otherSide, rate } from '../compare/state.ts';
import { DifferenceTable } from '../compare/table.tsx';
import { GROUPINGS } from '../filter/fields.ts';
import { parseSearch } from '../filter/search.ts';
import type { ViewProps } from '../page.ts';
import { calls, grouped } from '../text/numbers.ts';
import { OnlyOne } from './only-one.tsx';
import '../compare/compare.css';

/** What changed between two sides: every group with both figures, and the paths coloured by how they differ. */
export function Compare({ page }: ViewProps) {
  const compared = useMemo(() => comparedOf(page), [page]);
  if (compared === null) return <OnlyOne />;
  return <CompareSides compared={compared} />;
}

function CompareSides({ compared }: { readonly compared: Compared }) {
  const { sides, groups: said } = compared;
  const base = sides[baseSide.value] ?? (sides[0] as Side);
  const other = sides[otherSide.value] ?? (sides[1] as Side);
  const dimension = by.value[0] ?? 'site';
  const per = rate.value;
  const included = includedInSides.value;
  const differences = useMemo(
    () => differencesOf(base, other, dimension, per, included),
    [base, other, dimension, per, included],
  );
  const tree = useMemo(() => differenceTree(base, other, per, included), [base, other, per, included]);
  const { matches } = parseSearch(search.value);
  const groups = (differences?.groups ?? []).filter(({ label, about }) => matches(label) || matches(about));
  useKeys(
    useMemo(
      () => ({
        title: 'Compare',
        bindings: [
          {
            keys: ['y'],
            does: 'copy the table as text',
            run: () => differences && copyText(copyOf(base, other, differences, per), 'the comparison as text'),
          },
        ],
      }),
      [base, other, differences, per],
    ),
  );
  return (
    <section class="compare" aria-label="Comparison">
      <Sides sides={sides} base={base} other={other} />
      <Tools sides={sides} base={base} other={other} />
      {span.value !== null && (
        <p class="muted">The chosen span of time is left aside here: each recording has its own time.</p>
      )}
      {differences === null ? (
        <p>
          Not every recording tells its {per === 'second' ? 'duration' : 'operations'}, so {rateText(per)} are not
          known.{' '}
          <button type="button" onClick={() => rate.set('call')}>
            Compare calls
          </button>
        </p>
      ) : (
        <div class="beside">
          <DifferenceTable
            differences={differences}
            shown={groups}
            names={[base.name, other.name]}
            said={baseSide.value === 0 && otherSide.value === 1 && dimension === 'site' ? said : []}
          />
          <DifferenceGraph model={tree} matches={search.value.trim() === '' ? null : matches} rate={per} />
        </div>
      )}
    </section>
  );
}

/** What each side is. */
function Sides({ sides, base, other }: { readonly sides: readonly Side[]; readonly base: Side; readonly other: Side }) {
  return (
    <ul class="sides">
      {sides
        .filter((side) => side === base || side === other)
        .map((side) => (
          <li key={side.name}>
            <strong>{side.name}</strong>
            <div>
              <span>{side.runs.map(({ name }) => name).join(', ')}</span>
              <br />
              <span class="muted">{describe(side)}</span>
              {side.runs.map(({ name, report }) => {
                const lost = report.calls.total - report.calls.attributed;
                return (
                  lost > 0 && (
                    <p key={name} class="lost">
                      {grouped(lost)} of {calls(report.calls.total)} are lost: what is new or gone may be among them
                    </p>
                  )
                );
              })}
            </div>
          </li>
        ))}
    </ul>
  );
}

function describe({ runs, operations, seconds }: Side): string {
  const distinct = (text: (run: Run) => string | null) => [...new Set(runs.flatMap((one) => text(one) ?? []))];
  const mean = (values: readonly number[] | null) =>
    values === null ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  const duration = mean(seconds);
  const done = mean(operations);
  return [
    ...(runs.length > 1 ? [`${runs.length} runs, medians`] : []),
    ...distinct(({ report }) => report.kernel && `Linux ${report.kernel}`),
    ...(duration === null ? [] : [`${duration.toFixed(1)} s`]),
    ...(done === null ? [] : [`${grouped(Math.round(done))} operations`]),
  ].join(' · ');
}

function Tools({ sides, base, other }: { readonly sides: readonly Side[]; readonly base: Side; readonly other: Side }) {
  const isKnown = (one: Rate) =>
    one === 'call' || [base, other].every((side) => (one === 'second' ? side.seconds : side.operations) !== null);
  return (
    <div class="compare-tools">
      {sides.length > 2 &&
        (
          [
            ['Base', baseSide, base],
            ['against', otherSide, other],
          ] as const
        ).map(([title, parameter, chosen]) => (
          <label key={title}>
            {title}{' '}
            <select
              value={sides.indexOf(chosen)}
              onChange={({ currentTarget: { value } }) => parameter.set(Number(value))}
            >
              {sides.map(({ name, runs }, i) => (
                <option key={name} value={i}>
                  {name} {runs[0]?.name}
                </option>
              ))}
            </select>
          </label>
        ))}
      <label>
        Group by{' '}
        <select value={by.value[0]} onChange={({ currentTarget: { value } }) => by.set([value])}>
          {GROUPINGS.map(([name, says]) => (
            <option key={name} value={name} title={says}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="switch">
        <legend class="spoken">Figures</legend>
        {RATES.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={rate.value === one}
            disabled={!isKnown(one)}
            onClick={() => rate.set(one)}
          >
            {one === 'call' ? 'Calls' : one === 'operation' ? 'Per operation' : 'Per second'}
          </button>
        ))}
      </fieldset>
    </div>
  );
}
