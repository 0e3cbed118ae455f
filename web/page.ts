// What src/report/html/ wrote into the document: reports as JSON, the calls of each census as columns.
import type { Report } from './report.ts';

/** One census on the page. */
export interface PageCensus {
  /** What it is called where there are several: the file's name. */
  readonly name: string;
  /** The report of all its calls, grouped by site. */
  readonly report: Report;
  /** What is said of each group at length, in the order of `report.groups`. */
  readonly explanations: readonly string[];
  /** Text of the element that holds its columns, base64 of deflated bytes; null where the page has none. */
  readonly columns: string | null;
}

/** Everything the page was given. */
export interface Page {
  readonly censuses: readonly [PageCensus, ...PageCensus[]];
  /** The comparison of the censuses as `whocalls diff --format json` writes it; null where there is only one. */
  readonly comparison: unknown;
  /** What the command line asked for, as parameters of the address: `{ by: 'entry' }`. */
  readonly initial: Readonly<Record<string, string>>;
}

/** Properties of every view. */
export interface ViewProps {
  readonly page: Page;
}

interface PageDocument {
  readonly schema: string;
  readonly censuses: readonly Omit<PageCensus, 'columns'>[];
  readonly comparison?: unknown;
  readonly initial: Readonly<Record<string, string>>;
}

/** The form of the document's data that this script reads. */
const SCHEMA = 'whocalls/page/1';

/**
 * Reads the data out of the document.
 *
 * @throws {Error} it is damaged: what is wrong, as a sentence
 */
export function readPage(from: Document): Page {
  const text = from.getElementById('page')?.textContent;
  if (!text) throw new Error('The page holds no report: the file is incomplete.');
  let data: PageDocument;
  try {
    data = JSON.parse(text) as PageDocument;
  } catch {
    throw new Error('The report in this page cannot be read: the file is damaged.');
  }
  if (data.schema !== SCHEMA) throw new Error(`The page holds ${data.schema}, which this script does not read.`);
  const [first, ...rest] = data.censuses.map((census, i) => ({
    ...census,
    columns: from.getElementById(`columns-${i}`)?.textContent ?? null,
  }));
  if (!first) throw new Error('The page holds no census: the file is incomplete.');
  return { censuses: [first, ...rest], comparison: data.comparison ?? null, initial: data.initial };
}
