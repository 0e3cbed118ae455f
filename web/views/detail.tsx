import { useMemo } from 'preact/hooks';
import { copyText } from '../app/clipboard.ts';
import { type KeyGroup, useKeys } from '../app/keys.ts';
import { change } from '../app/parameters.ts';
import { by, chosen, chosenPath, view, where } from '../app/state.ts';
import { pathsOf, stacksOf } from '../calls/describe.ts';
import { namesTo } from '../calls/paths.ts';
import { siteNode } from '../calls/sites.ts';
import { type Story, storyOf } from '../calls/story.ts';
import { type Described, describe, type TableGroup } from '../calls/table.ts';
import { both, comparison } from '../filter/where.ts';
import type { PageCensus } from '../page.ts';
import { foldedText, groupText } from '../text/copy.ts';
import { calls, grouped, percent, roundPercent } from '../text/numbers.ts';
import { Confidence } from './confidence.tsx';
import { PathStory } from './path-story.tsx';
import { Tallies } from './tallies.tsx';
import './detail.css';

/** Paths that are listed. */
const MOST_PATHS = 12;

interface DetailProps {
  readonly census: PageCensus;
  readonly group: TableGroup;
}

/** All there is to say of a group: what happened, how sure that is, its paths, and who called. */
export function Detail({ census, group }: DetailProps) {
  const { data, report } = census;
  const said = describe(census, group);
  const label = group.labels.join(' · ');
  const rows = group.rows ?? new Uint32Array();
  const paths = useMemo(() => (data ? pathsOf(data, rows) : []), [data, group]);
  const told = paths[chosenPath.value] ?? paths[0];
  const story = useMemo(
    () => (data && told ? storyOf(data, told.node, told.end, siteNode(data, rows, told.end)) : null),
    [data, told],
  );
  const stacks = data ? stacksOf(data, rows) : (group.told?.stacks ?? 0);
  const copies = { text: () => asText(census, group, said, story, stacks), folded: () => asFolded(census, group) };
  useKeys(useMemo(() => detailKeys(copies.text), [group, story]));
  const { total } = report.calls;
  return (
    <aside class="detail" aria-label={`Detail of ${label}`}>
      <header>
        <h2>
          <code>{label}</code>
        </h2>
        <button type="button" class="close" aria-label="Close the detail" onClick={() => chosen.set([])}>
          ×
        </button>
      </header>
      <p class="muted">
        {calls(group.count)}, {percent(total === 0 ? 0 : group.count / total)} of all · {grouped(stacks)}{' '}
        {stacks === 1 ? 'stack' : 'stacks'}
        {paths.length > 0 && ` · ${grouped(paths.length)} ${paths.length === 1 ? 'path' : 'paths'}`}
        {said.subject !== null && ` · ${said.subject}`}
        {said.subsystem !== null && said.subsystem !== said.subject && ` · ${said.subsystem}`}
      </p>
      <p class="happened">{said.explanation || 'Nothing is known of these calls but their names.'}</p>
      <p class="actions">
        <button type="button" onClick={() => void copyText(copies.text(), 'the text')}>
          Copy as text <kbd>y</kbd>
        </button>
        <button
          type="button"
          disabled={data === null}
          onClick={() => void copyText(copies.folded(), 'the folded stacks')}
        >
          Folded
        </button>
        <button type="button" onClick={() => void copyText(location.href, 'the link')}>
          Link
        </button>
        <Narrow group={group} />
      </p>
      {story && (
        <section>
          <h3>
            {chosenPath.value === 0 ? 'The commonest path' : `Path ${chosenPath.value + 1}`}, from the call outwards
            {told && paths.length > 1 && ` · ${roundPercent(told.count / group.count)} of these calls`}
          </h3>
          <PathStory story={story} />
        </section>
      )}
      <Confidence group={group} said={said} />
      {data && paths.length > 1 && (
        <section>
          <h3>Variants of the path</h3>
          <ol class="variants">
            {paths.slice(0, MOST_PATHS).map(({ end, count }, i) => (
              <li key={end}>
                <button
                  type="button"
                  aria-pressed={i === chosenPath.value}
                  onClick={() => chosenPath.set(i, 'replace')}
                >
                  <span class="number">{roundPercent(count / group.count)}</span>
                  <code class="clamp">{differenceOf(namesTo(data, end), namesTo(data, paths[0]?.end ?? 0))}</code>
                </button>
              </li>
            ))}
          </ol>
          {paths.length > MOST_PATHS && <p class="muted">{grouped(paths.length - MOST_PATHS)} more: see Paths.</p>}
        </section>
      )}
      <Tallies census={census} group={group} said={said} />
      <MoreTold about={said.subject} text={furtherText(census, group)} />
    </aside>
  );
}

/** What is said further where the report says it; ''. */
function furtherText({ explanations }: PageCensus, { told, index }: TableGroup): string {
  return told ? (explanations[index] ?? '') : '';
}

/** What is said further: of the path, of the tree. A line for each sentence. */
function MoreTold({ about, text }: { readonly about: string | null; readonly text: string }) {
  const sentences = text.split(/(?<=[.)])\s+(?=[A-Z])/).filter((sentence) => sentence.trim() !== '');
  if (sentences.length === 0) return null;
  return (
    <section>
      <h3>{about === null ? 'More about it' : `More about it: ${about}`}</h3>
      <ul class="told">
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </section>
  );
}

/** Buttons that show these calls alone, or all but these. */
function Narrow({ group }: { readonly group: TableGroup }) {
  const parts = group.labels.map((label, i) => (group.isUnknown ? null : comparison(by.value[i] ?? 'site', label)));
  const own = parts.every((part) => part !== null) ? parts.join(' && ') : null;
  if (own === null) return null;
  return (
    <>
      <button
        type="button"
        onClick={() => change([where.to(both(where.value, own)), view.to('paths'), chosen.to([])])}
        title="Show the paths of these calls alone"
      >
        Its paths
      </button>
      <button
        type="button"
        onClick={() => change([where.to(both(where.value, `!(${own})`)), chosen.to([])])}
        title="Show all calls but these"
      >
        Leave out
      </button>
    </>
  );
}

/** The functions after those that two paths have in common; of the same path all of them. */
function differenceOf(names: readonly string[], common: readonly string[]): string {
  let same = 0;
  while (same < names.length && names[same] === common[same]) same += 1;
  const from = same === names.length ? 0 : Math.max(0, same - 1);
  return `${from > 0 ? '… ' : ''}${names.slice(from).join(' ← ')}`;
}

function asText(census: PageCensus, group: TableGroup, said: Described, story: Story | null, stacks: number): string {
  return groupText(census.report, {
    title: group.labels.join(', '),
    about: said.subject ?? said.subsystem ?? '',
    count: group.count,
    stacks,
    explanation: `${said.explanation} ${furtherText(census, group)}`,
    confidence: said.confidence,
    story,
    entries: said.entries,
    comms: said.comms,
  });
}

function asFolded({ data }: PageCensus, { rows }: TableGroup): string {
  if (!data || !rows) return '';
  return foldedText(pathsOf(data, rows).map(({ end, count }) => ({ names: namesTo(data, end), count })));
}

function detailKeys(text: () => string): KeyGroup {
  return {
    title: 'Detail',
    bindings: [
      { keys: ['y'], does: 'copy as text', run: () => void copyText(text(), 'the text') },
      {
        keys: ['Escape'],
        does: 'close the detail',
        run: ({ target }) => {
          if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return false;
          chosen.set([]);
          return true;
        },
      },
    ],
  };
}
