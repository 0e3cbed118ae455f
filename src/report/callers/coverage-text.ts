import { columns, cut, pad, printable, wrap } from '../../text/columns.ts';
import { counted, some } from '../../text/lists.ts';
import { roundPercent } from '../../text/percent.ts';
import type { CoveredSite, TargetCoverage } from '../coverage.ts';
import type { CallingFunction, CoverageReport } from './build.ts';

const COUNT_WIDTH = 12;
/** Of the functions that were not reached, so many are listed for one part of the kernel unless all are wanted. */
const FEW_UNUSED = 4;

/** Which call sites a census used, for people. */
export function coverageText({ coverage, parts }: CoverageReport, width: number, top: number): string[] {
  const used = coverage.sites.filter(({ state }) => state === 'used').sort((a, b) => b.calls - a.calls);
  const open = coverage.sites.filter(({ state }) => state === 'not told apart');
  const lines = [...wrap(summary(coverage, used, open), width)];
  const shown = top === 0 ? used : used.slice(0, top);
  if (shown.length > 0) lines.push('', 'Used');
  for (const site of shown) lines.push(siteLine(site, String(site.calls), width));
  if (shown.length < used.length) lines.push(`  ${counted(used.length - shown.length, 'more site')}: --top 0`);
  if (open.length > 0) {
    lines.push('', `Not told apart: ${coverage.notToldApart} calls jumped from one of these, which leaves no frame`);
    for (const site of open) lines.push(siteLine(site, '', width));
  }
  const unused = parts
    .map((part) => ({
      ...part,
      functions: part.functions.filter((one) => one.sites.every((site) => !isReached(site, coverage))),
    }))
    .filter(({ functions }) => functions.length > 0);
  if (unused.length > 0)
    lines.push(
      '',
      `Not used: ${counted(
        unused.reduce((sum, part) => sum + part.functions.length, 0),
        'function',
      )}`,
    );
  for (const { subsystem, functions, ways } of unused) {
    lines.push(`  ${subsystem}`);
    const few = top === 0 ? functions : functions.slice(0, FEW_UNUSED);
    for (const one of few) lines.push(unusedLine(one, ways.get(one) ?? '', width));
    if (few.length < functions.length) lines.push(`    and ${functions.length - few.length} more (--top 0)`);
  }
  return [...lines, ...strange(coverage, width)];
}

function isReached({ symbol, module, offset }: CallingFunction['sites'][number], { sites }: TargetCoverage): boolean {
  const own = sites.find((site) => site.symbol === symbol && site.module === module && site.offset === offset);
  return own !== undefined && own.state !== 'not used';
}

function summary(coverage: TargetCoverage, used: readonly CoveredSite[], open: readonly CoveredSite[]): string {
  const { sites, calls, throughPointers, notLookedAt, noOffset } = coverage;
  const functions = (of: readonly CoveredSite[]) => new Set(of.map(({ symbol, module }) => `${module} ${symbol}`)).size;
  const perhaps = open.length > 0 ? ` and at least one of ${open.length} more` : '';
  const texts = [
    `${counted(sites.length, 'call site')} in ${counted(functions(sites), 'function')}; ${calls} calls used ${used.length}${perhaps}, in ${counted(functions([...used, ...open]), 'function')}`,
    throughPointers > 0 ? `${throughPointers} calls came through a pointer` : '',
    notLookedAt > 0 ? `${notLookedAt} calls by functions of modules that were not looked at` : '',
    noOffset > 0 ? `${noOffset} calls whose stack does not say where in its caller` : '',
  ];
  return `${texts.filter((text) => text !== '').join('; ')}.`;
}

function siteLine({ symbol, module, offset, kind }: CoveredSite, count: string, width: number): string {
  const place = `${printable(symbol)}+0x${offset.toString(16)}${module === '' ? '' : ` [${printable(module)}]`}`;
  const mark = kind === 'call' ? '' : kind === 'jump' ? '  jump, leaves no frame' : `  ${kind}`;
  return cut(`${pad('', Math.max(0, COUNT_WIDTH - columns(count)))}${count}  ${place}${mark}`, Math.max(width, 60));
}

function unusedLine({ symbol, module, sites }: CallingFunction, way: string, width: number): string {
  const name = `${printable(symbol)}${module === '' ? '' : ` [${printable(module)}]`}`;
  const several = sites.length > 1 ? ` (${sites.length} sites)` : '';
  return cut(`    ${name}${several}${way === '' ? '' : ` ${printable(way)}`}`, Math.max(width, 60));
}

function strange({ strange: calls, strangeFrames, calls: all }: TargetCoverage, width: number): string[] {
  if (calls === 0) return [];
  const frames = some(
    strangeFrames.map(({ frame, calls: own }) => `${frame} (${own})`),
    5,
  );
  return [
    '',
    ...wrap(
      `! ${calls} calls (${roundPercent(calls / all)}) return to where nothing calls the function: ${frames}. These stacks are wrong, or the kernel that ran was not this image.`,
      width,
    ),
  ];
}
