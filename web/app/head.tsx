import { Fragment } from 'preact';
import type { Page } from '../page.ts';
import type { Message, Report } from '../report.ts';
import { calls, grouped, percent } from '../text/numbers.ts';
import { change } from './parameters.ts';
import { shownCensus } from './selected.ts';
import { census, chosen, focus } from './state.ts';

/** The question, the account and what was looked at; losses and warnings stand above it, in words. */
export function Head({ page }: { readonly page: Page }) {
  const { report, headline } = shownCensus.value;
  const lost = report.calls.total - report.calls.attributed;
  return (
    <header class="head">
      <Alarms report={report} lost={lost} />
      <div class="question">
        <h1>
          <Question report={report} />
        </h1>
        <p class="workload">{workloadText(report, headline)}</p>
      </div>
      <div class="account">
        <p class="total">
          <strong>{grouped(report.calls.total)}</strong> {report.calls.total === 1 ? 'call' : 'calls'}
          {report.durationSeconds === null ? '' : ` in ${report.durationSeconds.toFixed(1)} s`}
        </p>
        <p>
          attributed {grouped(report.calls.attributed)} ({attributedShare(report)}) · lost {grouped(lost)}
          {report.calls.doubted > 0 && (
            <>
              {' '}
              · <span class="doubt">doubted {grouped(report.calls.doubted)}</span>
            </>
          )}
        </p>
        <p class="machine">{machineText(report)}</p>
        {page.censuses.length > 1 && <WhichCensus page={page} />}
      </div>
      <Remarks report={report} />
    </header>
  );
}

/** Which of several censuses all views but the comparison show. */
function WhichCensus({ page }: { readonly page: Page }) {
  const shown = page.censuses.indexOf(shownCensus.value);
  return (
    <label class="which">
      shown:{' '}
      <select
        value={String(shown)}
        onChange={({ currentTarget: { value } }) => change([census.to(Number(value)), chosen.to([]), focus.to([])])}
      >
        {page.censuses.map(({ name, report }, i) => (
          <option key={i} value={String(i)}>
            {[name, report.kernel ?? ''].filter((part) => part !== '').join(' · ')}
          </option>
        ))}
      </select>
    </label>
  );
}

function Targets({ report: { targets } }: { readonly report: Report }) {
  const shown = targets.slice(0, 4);
  return (
    <>
      {shown.map(({ name }, i) => (
        <Fragment key={name}>
          {i > 0 && ', '}
          <code>{name}</code>
        </Fragment>
      ))}
      {targets.length > shown.length && ` or ${targets.length - shown.length} more`}
    </>
  );
}

/** Samples of an event say what ran; nothing was called. */
function Question({ report }: { readonly report: Report }) {
  const { targets } = report;
  if (targets.length === 0) return <>Who called?</>;
  if (targets.every(({ kind }) => kind === 'event')) {
    return (
      <>
        Samples of <Targets report={report} />
      </>
    );
  }
  return (
    <>
      Who calls <Targets report={report} />?
    </>
  );
}

/** What must be read before the figures. */
function Alarms({ report, lost }: { readonly report: Report; readonly lost: number }) {
  const { calls: account, warnings } = report;
  if (lost === 0 && warnings.length === 0) return null;
  const reasons = account.losses.map(({ text, count }) => `${text} ${grouped(count)}`).join(', ');
  return (
    <ul class="alarms">
      {lost > 0 && (
        <li>
          {grouped(lost)} of {calls(account.total)} ({percent(lost / account.total)}) are not attributed: {reasons}
        </li>
      )}
      {warnings.map(({ code, text }) => (
        <li key={`${code}${text}`}>{text}</li>
      ))}
    </ul>
  );
}

/** Blind spots and other notes, behind their number; some of the first two are told at once. */
function Remarks({ report }: { readonly report: Report }) {
  const notes = notesOf(report);
  if (notes.length === 0) return null;
  return (
    <details class="remarks">
      <summary>
        {notes.length} {notes.length === 1 ? 'remark' : 'remarks'}: blind spots, files, what was left out
      </summary>
      <ul>
        {notes.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </details>
  );
}

function notesOf({ notes, input, calls: account }: Report): string[] {
  const files = input?.files ?? [];
  return [
    ...(account.doubted > 0
      ? [`The path of ${calls(account.doubted)} had to be read from frames that the unwinder doubted, or lacks lines.`]
      : []),
    ...notes.map(({ text }: Message) => text),
    ...files.flatMap(({ name, notes: own = [], truncated, skippedLines }) => [
      ...own.map(({ text }) => `${name}: ${text}`),
      ...(truncated === undefined ? [] : [`${name}: ${truncated}`]),
      ...(skippedLines === 0 ? [] : [`${name}: ${grouped(skippedLines)} lines could not be read.`]),
    ]),
    ...(input?.unreadable ?? []).map(({ why }) => why),
  ];
}

function attributedShare({ calls: { total, attributed } }: Report): string {
  return percent(total === 0 ? 1 : attributed / total);
}

function machineText({ kernel, architecture, input }: Report): string {
  const files = input?.files.map(({ name }) => name.slice(name.lastIndexOf('/') + 1)) ?? [];
  return [kernel === null ? '' : `Linux ${kernel}`, architecture ?? '', files.slice(0, 3).join(', ')]
    .filter((part) => part !== '')
    .join(' · ');
}

/** `db_bench --num=20000`, and what the workload says of itself. */
function workloadText({ command, commands, workload }: Report, headline: string): string {
  const lines = commands ?? (command === null ? [] : [command]);
  const phases = workload?.phases.map(({ name }) => name).join(', ') ?? '';
  return [lines.map((words) => words.join(' ')).join('; '), headline, phases].filter((part) => part !== '').join(' · ');
}
