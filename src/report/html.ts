import type { Census } from '../census/census.ts';
import { headline } from '../workload/benchmarks/registry.ts';
import { buildComparison, type ComparisonReport } from './comparison.ts';
import { comparisonDocument } from './comparison-json.ts';
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

/** A page of a comparison: every run of every side. */
export function htmlComparison(comparison: ComparisonReport, version: string): string {
  const { by } = comparison.comparison;
  const { runs, where } = comparison;
  const inputs = runs.flat().map(({ census, files = [], unreadable = [] }) => {
    const report = buildReport(census, { by, where }, { files, unreadable });
    return { name: nameOf(report), report };
  });
  return htmlPage(inputs, version, comparison);
}

/**
 * A page of one or several censuses.
 *
 * @param given how several are compared; each with the first unless told
 */
export function htmlPage(inputs: readonly PageInput[], version: string, given?: ComparisonReport): string {
  const [first] = inputs;
  const comparison = given ?? (inputs.length > 1 ? compared(inputs) : undefined);
  const { script, style } = pageAssets(comparison !== undefined);
  const initial = { ...(comparison && { view: 'compare' }), ...(first && initialState(first.report)) };
  const censuses = inputs.map(({ name, report: { census, input } }) => {
    const short = buildReport(census, { explain: 'short' }, input);
    const full = buildReport(census, { explain: 'full' }, input);
    return {
      name,
      headline: headlineOf(census),
      report: reportDocument(short, version),
      explanations: full.groups.map(({ explanation }, i) =>
        furtherThan(explanation?.text ?? '', short.groups[i]?.explanation?.text ?? ''),
      ),
    };
  });
  const targets = first?.report.census.targets ?? [];
  const pageJson = {
    schema: PAGE_SCHEMA,
    censuses,
    initial,
    ...(comparison && { comparison: comparisonDocument(comparison, version) }),
  };
  return htmlDocument({
    title: targets.length === 0 ? 'whocalls' : `Who calls ${targets.slice(0, 3).join(', ')}? · whocalls`,
    script,
    style,
    data: [
      { id: 'page', content: { json: pageJson } },
      ...inputs.map(({ report: { census } }, i) => ({
        id: `columns-${i}`,
        content: { base64: packColumns(censusColumns(census)) },
      })),
    ],
  });
}

/** What a text says further than its beginning, which is told already. */
function furtherThan(text: string, beginning: string): string {
  return text.startsWith(beginning) ? text.slice(beginning.length).trim() : text;
}

function headlineOf(census: Census): string {
  const workload = workloadOf(census);
  return workload === null ? '' : headline(workload);
}

function compared(inputs: readonly PageInput[]): ComparisonReport {
  return buildComparison(inputs.map(({ report: { census, input } }) => [{ census, ...input }]));
}

/** What the command line asked for, as parameters of the page's address. */
function initialState({ by, where }: Report): Readonly<Record<string, string>> {
  return { ...(by !== 'site' && { by }), ...(where !== '' && { where }) };
}

function nameOf({ input, census }: Report): string {
  const names = input?.files.map(({ name }) => name.slice(name.lastIndexOf('/') + 1)) ?? [];
  return names.join(', ') || census.facts.kernels.join(', ') || 'census';
}
