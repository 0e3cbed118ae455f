import { span } from '../app/state.ts';
import { familyWords } from '../graph/families.ts';
import { calls, grouped, percent, perOperation } from '../text/numbers.ts';
import { TimeChart } from '../time/chart.tsx';
import { timelineNow } from '../time/shown.ts';
import type { PhaseCalls, Timeline } from '../time/timeline.ts';
import '../time/time.css';

/** When calls happened: the chart, and the same as a table, in which a phase can be chosen. */
export function Time() {
  const now = timelineNow.value;
  if (now === null)
    return <p class="empty">The calls of this page cannot be read, so when they happened is not known.</p>;
  const { timeline, families } = now;
  if (timeline.kind === null) return <NoTime />;
  return (
    <section class="time">
      <p class="says">{heading(timeline)}</p>
      <TimeChart timeline={timeline} families={families} isTall />
      {timeline.kind === 'times' && <Families timeline={timeline} families={families} />}
      {timeline.phases.length > 0 && <Phases timeline={timeline} />}
      <p class="says muted">
        A phase, or a stretch that is dragged over, is all that every view shows until it is taken back.
      </p>
    </section>
  );
}

function heading({ kind, bars }: Timeline): string {
  if (kind === 'phases') {
    return 'Only the phase of each call was kept: wide bars are long phases, high ones have many calls a second.';
  }
  const most = Math.max(0, ...bars.map((bar) => bar.calls));
  const seconds = ((bars[0]?.to ?? 0) - (bars[0]?.from ?? 0)) / 1000;
  return `Each bar is ${Number(seconds.toPrecision(3))} s, the highest has ${calls(most)}; colours are those of subsystems.`;
}

function NoTime() {
  return (
    <section class="empty">
      <p>
        <strong>This recording does not say when calls happened.</strong>
      </p>
      <p>
        <code>whocalls record</code> keeps it coarsely, and with <code>--time-buckets 100</code> in steps of 100
        milliseconds; other formats may not tell.
      </p>
    </section>
  );
}

/** What the colours are, with the calls of each. */
function Families({ timeline, families }: { readonly timeline: Timeline; readonly families: readonly string[] }) {
  const sums = families.map((family, i) => ({
    family,
    count: timeline.bars.reduce((sum, { byFamily }) => sum + (byFamily[i] ?? 0), 0),
  }));
  return (
    <ul class="families">
      {sums
        .filter(({ count }) => count > 0)
        .sort((a, b) => b.count - a.count)
        .map(({ family, count }) => (
          <li key={family}>
            <span class={`swatch family-${family}`} /> {familyWords(family)} {grouped(count)}
          </li>
        ))}
      {timeline.untimed > 0 && <li>without a time {grouped(timeline.untimed)}</li>}
    </ul>
  );
}

function Phases({ timeline }: { readonly timeline: Timeline }) {
  const { phases, outside, total, end } = timeline;
  return (
    <div class="scrolled">
      <table class="figures">
        <caption class="spoken">Calls of each phase</caption>
        <thead>
          <tr>
            <th scope="col">Phase</th>
            <th scope="col" class="number">
              Seconds
            </th>
            <th scope="col" class="number">
              Calls
            </th>
            <th scope="col" class="number">
              Share
            </th>
            <th scope="col" class="number">
              Calls a second
            </th>
            <th scope="col" class="number">
              Operations
            </th>
            <th scope="col" class="number">
              Calls per 1000 operations
            </th>
          </tr>
        </thead>
        <tbody>
          {phases.map((phase) => (
            <PhaseRow key={phase.from} phase={phase} total={total} />
          ))}
          {outside > 0 && (
            <tr>
              <th scope="row">outside the phases</th>
              <td class="number">
                {seconds(Math.max(0, end - phases.reduce((sum, one) => sum + one.to - one.from, 0)))}
              </td>
              <td class="number">{grouped(outside)}</td>
              <td class="number">{percent(outside / total)}</td>
              <td />
              <td />
              <td />
            </tr>
          )}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">all</th>
            <td class="number">{seconds(end)}</td>
            <td class="number">{grouped(total)}</td>
            <td class="number">{percent(total === 0 ? 0 : 1)}</td>
            <td class="number">{end > 0 ? rate(total, end) : ''}</td>
            <td />
            <td />
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

function PhaseRow({ phase, total }: { readonly phase: PhaseCalls; readonly total: number }) {
  const { name, from, to, calls: count, operations } = phase;
  const chosen = span.value;
  const isChosen = chosen !== null && chosen[0] <= from && to <= chosen[1] + 1;
  return (
    <tr class={isChosen ? 'chosen' : ''}>
      <th scope="row">
        <button type="button" aria-pressed={isChosen} onClick={() => span.set(isChosen ? null : [from, to])}>
          {name}
        </button>
      </th>
      <td class="number">{seconds(to - from)}</td>
      <td class="number">{grouped(count)}</td>
      <td class="number">{percent(total === 0 ? 0 : count / total)}</td>
      <td class="number">{to > from ? rate(count, to - from) : ''}</td>
      <td class="number">{operations === null ? '' : grouped(operations)}</td>
      <td class="number">{operations ? perOperation((count / operations) * 1000) : ''}</td>
    </tr>
  );
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function rate(count: number, ms: number): string {
  return grouped(Number(((count / ms) * 1000).toPrecision(3)));
}
