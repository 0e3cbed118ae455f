// What src/report/html.ts wrote into the document: reports as JSON, the calls of each census as columns.
import { type PageData, readColumns } from './data/columns.ts';
import { DamagedData } from './data/damaged.ts';
import { unpack } from './data/unpack.ts';
import type { Report } from './report.ts';

/** One census on the page. */
export interface PageCensus {
  /** What it is called where there are several: the file's name. */
  readonly name: string;
  /** The report of all its calls, grouped by site. */
  readonly report: Report;
  /** What the workload says of itself, in a line; '' where nothing is known. */
  readonly headline: string;
  /** What is said of each group further than in its explanation, in the order of `report.groups`. */
  readonly explanations: readonly string[];
  /** Its calls; null where they cannot be read. The report stands by itself. */
  readonly data: PageData | null;
  /** Why there is no `data`, as a sentence; '' where there is. */
  readonly problem: string;
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
  readonly censuses: readonly Omit<PageCensus, 'data' | 'problem'>[];
  readonly comparison?: unknown;
  readonly initial: Readonly<Record<string, string>>;
}

/** The form of the document's data that this script reads. */
const SCHEMA = 'whocalls/page/1';

/**
 * Reads the data out of the document.
 *
 * @throws {DamagedData} the reports cannot be read
 */
export async function readPage(from: Document): Promise<Page> {
  const { censuses, comparison = null, initial } = reportsIn(from);
  const [first, ...rest] = await Promise.all(
    censuses.map(async (census, i) => ({ ...census, ...(await callsIn(from.getElementById(`columns-${i}`))) })),
  );
  if (!first) throw new DamagedData('The page holds no census: the file is incomplete.');
  return { censuses: [first, ...rest], comparison, initial };
}

function reportsIn(from: Document): PageDocument {
  const text = from.getElementById('page')?.textContent;
  if (!text) throw new DamagedData('The page holds no report: the file is incomplete.');
  let data: PageDocument;
  try {
    data = JSON.parse(text) as PageDocument;
  } catch {
    throw new DamagedData('The report in this page cannot be read: the file is damaged.');
  }
  if (data.schema !== SCHEMA) throw new DamagedData(`The page holds ${data.schema}, which its script does not read.`);
  return data;
}

async function callsIn(element: HTMLElement | null): Promise<Pick<PageCensus, 'data' | 'problem'>> {
  try {
    if (!element) throw new DamagedData('The data of this page are missing.');
    const data = readColumns(await unpack(element.textContent ?? ''));
    // Twice the memory for nothing.
    element.remove();
    return { data, problem: '' };
  } catch (error) {
    if (error instanceof DamagedData) return { data: null, problem: error.message };
    throw error;
  }
}
