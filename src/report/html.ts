import type { Census } from '../census/census.ts';
import { headline } from '../workload/benchmarks/registry.ts';
import { pageAssets } from './html/assets.ts';
import { censusColumns, packColumns } from './html/columns.ts';
import { htmlDocument } from './html/document.ts';
import { reportDocument } from './json.ts';
import type { Report } from './report.ts';
import { buildReport, workloadOf } from './report.ts';

/** Name and version of the form in which the page has its data; `web/page.ts` reads it. */
const PAGE_SCHEMA = 'whocalls/page/1';

/** A census of a page, with what it is called there. */
export interface PageInput {
  readonly name: string;
  readonly report: Report;
}

/**
 * The page: one HTML file that holds everything, to be opened from anywhere. It has all calls of the census; what the
 * report was grouped and filtered by is what the page begins with.
 *
 * @param version of whocalls
 */
export function htmlReport(report: Report, version: string): string {
  return htmlPage([{ name: nameOf(report), report }], version);
}

/** A page of one or several censuses. */
export function htmlPage(inputs: readonly PageInput[], version: string): string {
  const { script, style } = pageAssets();
  const [first] = inputs;
  const initial = first ? initialState(first.report) : {};
  const censuses = inputs.map(({ name, report: { census, input } }) => {
    const short = buildReport(census, { explain: 'short' }, input);
    const full = buildReport(census, { explain: 'full' }, input);
    return {
      name,
      headline: headlineOf(census),
      report: reportDocument(short, version),
      explanations: full.groups.map(({ explanation }) => explanation?.text ?? ''),
    };
  });
  const targets = first?.report.census.targets ?? [];
  return htmlDocument({
    title: `Who calls ${targets.slice(0, 3).join(', ') || 'this'}? · whocalls`,
    script,
    style,
    data: [
      { id: 'page', content: { json: { schema: PAGE_SCHEMA, censuses, initial } } },
      ...inputs.map(({ report: { census } }, i) => ({
        id: `columns-${i}`,
        content: { base64: packColumns(censusColumns(census)) },
      })),
    ],
  });
}

function headlineOf(census: Census): string {
  const workload = workloadOf(census);
  return workload === null ? '' : headline(workload);
}

/** What the command line asked for, as parameters of the page's address. */
function initialState({ by, where }: Report): Readonly<Record<string, string>> {
  return { ...(by !== 'site' && { by }), ...(where !== '' && { where }) };
}

function nameOf({ input, census }: Report): string {
  const names = input?.files.map(({ name }) => name.slice(name.lastIndexOf('/') + 1)) ?? [];
  return names.join(', ') || census.facts.kernels.join(', ') || 'census';
}
