import type { AddressHolder, CallSite } from '../../image/callers.ts';
import { columns, cut, pad, printable, wrap } from '../../text/columns.ts';
import { counted } from '../../text/lists.ts';
import type { CallerNode, CallersReport, CallingFunction, FunctionReport, LookedAt } from './build.ts';
import { coverageText } from './coverage-text.ts';

/** How a text report of callers is laid out. */
export interface CallersLayout {
  readonly width: number;
  /** Functions that are listed for each one asked for; 0 for all. */
  readonly top: number;
}

const MOST_HOLDERS = 20;
const MOST_NAME = 44;

/** Who can call functions, for people. */
export function callersText({ lookedAt, functions }: CallersReport, layout: CallersLayout): string {
  const head = `Linux ${lookedAt.release || '(unknown release)'}, ${lookedAt.architecture}`;
  const texts = functions.map((one) => functionText(one, head, layout));
  return `${[...texts, remarks(lookedAt, layout.width)].filter((text) => text !== '').join('\n')}`;
}

function functionText(report: FunctionReport, head: string, { width, top }: CallersLayout): string {
  const { name, module, file, gloss, sites, holders, parts, tree, covered } = report;
  const title = printable(name) + (module === '' ? '' : ` [${printable(module)}]`);
  const lines = [
    `${pad(title, Math.max(0, width - columns(head)))}${columns(title) + columns(head) < width ? '' : '  '}${head}`,
  ];
  const about = [file ?? '', gloss === null ? '' : `it ${gloss}`].filter((text) => text !== '').join('; ');
  if (about !== '') lines.push(...wrap(about, width));
  if (covered) return `${[...lines, '', ...coverageText(covered, width, top)].join('\n')}\n`;
  lines.push('', ...wrap(summary(sites, holders), width));
  if (tree) lines.push('', ...treeLines(tree, width, ''));
  else {
    let left = top === 0 ? Number.POSITIVE_INFINITY : top;
    let hidden = 0;
    for (const part of parts) {
      const shown = part.functions.slice(0, left);
      hidden += part.functions.length - shown.length;
      left -= shown.length;
      if (shown.length === 0) continue;
      lines.push(
        '',
        `${part.subsystem}  ${counted(part.sites, 'site')}`,
        ...shown.map((one) => functionLine(one, width)),
      );
    }
    if (hidden > 0) lines.push('', `${counted(hidden, 'more function')}: --top 0 lists them all.`);
  }
  lines.push(...holderLines(holders, width));
  return `${lines.join('\n')}\n`;
}

function summary(sites: readonly CallSite[], holders: readonly AddressHolder[]): string {
  const inImage = sites.filter(({ module }) => module === '');
  const inModules = sites.filter(({ module }) => module !== '');
  const functions = (of: readonly CallSite[]) => new Set(of.map(({ symbol, module }) => `${module} ${symbol}`)).size;
  const jumps = sites.filter(({ kind }) => kind === 'jump').length;
  const texts = [
    sites.length === 0 ? 'No code that was looked at calls it directly' : '',
    inImage.length > 0
      ? `${counted(inImage.length, 'call site')} in ${counted(functions(inImage), 'function')} of the kernel image`
      : '',
    inModules.length > 0
      ? `${counted(inModules.length, 'call site')} in ${counted(functions(inModules), 'function')} of modules`
      : '',
  ].filter((text) => text !== '');
  const tail = jumps > 0 ? `; ${jumps} of them jump, so that the calling function leaves no frame` : '';
  const held = new Set(holders.map(({ object, module }) => `${module} ${object}`)).size;
  const kept =
    held > 0 ? ` Its address is kept in ${counted(held, 'place')}: it can also be called through a pointer.` : '';
  return `${texts.join(', ')}${tail}.${kept}`;
}

function functionLine({ symbol, module, file, gloss, sites }: CallingFunction, width: number): string {
  const places = sites.map(({ offset, kind }) => `+0x${offset.toString(16)}${kind === 'call' ? '' : ` ${kind}`}`);
  const shown = places.length > 4 ? [...places.slice(0, 3), `${places.length - 3} more`] : places;
  const place = `${printable(symbol)}${shown.join(', ')}${module === '' ? '' : ` [${printable(module)}]`}`;
  const what = [file ?? '', gloss ?? ''].filter((text) => text !== '').join(': ');
  return cut(`  ${pad(place, MOST_NAME)}  ${what}`.trimEnd(), Math.max(width, 60));
}

function holderLines(holders: readonly AddressHolder[], width: number): string[] {
  const inData = holders.filter(({ isCode }) => !isCode);
  const inCode = holders.filter(({ isCode }) => isCode);
  return [
    ...heldLines('Address kept in', inData, width),
    ...heldLines(
      'Address taken in',
      [...new Map(inCode.map((one) => [`${one.module} ${one.object}`, one])).values()],
      width,
    ),
  ];
}

function heldLines(title: string, holders: readonly AddressHolder[], width: number): string[] {
  if (holders.length === 0) return [];
  const names = holders.slice(0, MOST_HOLDERS).map(holderName);
  const rest = holders.length - names.length;
  return ['', ...wrap(`${title}: ${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`, width, '', '  ')];
}

function holderName({ object, module, offset, isCode }: AddressHolder): string {
  const place = isCode ? printable(object) : `${printable(object)}+0x${offset.toString(16)}`;
  return module === '' ? place : `${place} [${printable(module)}]`;
}

function treeLines(nodes: readonly CallerNode[], width: number, indent: string): string[] {
  return nodes.flatMap(({ name, module, sites, isEntry, isShown, callers, more, heldBy }) => {
    const marks = [
      sites > 1 ? `${sites} sites` : '',
      isEntry ? 'entry' : '',
      isShown ? 'see above' : '',
      !isEntry && !isShown && callers.length === 0 && heldBy.length > 0
        ? `through ${heldBy.slice(0, 3).map(holderName).join(', ')}`
        : '',
    ].filter((mark) => mark !== '');
    const title = `${printable(name)}${module === '' ? '' : ` [${printable(module)}]`}${marks.length > 0 ? `  (${marks.join('; ')})` : ''}`;
    const lines = [cut(`${indent}<- ${title}`, Math.max(width, 60)), ...treeLines(callers, width, `${indent}   `)];
    if (more > 0) lines.push(`${indent}   <- ${counted(more, callers.length > 0 ? 'more caller' : 'caller')}`);
    return lines;
  });
}

function remarks({ image, modules, otherModules, remarks: more }: LookedAt, width: number): string {
  const others = otherModules > 0 ? `; ${counted(otherModules, 'module')} not looked at (--modules all)` : '';
  const texts = [
    `Looked at: ${image}, ${counted(modules, 'module')}${others}. Functions the compiler inlined are not told apart from those they were put into.`,
    ...more,
  ];
  return `${texts.flatMap((text) => wrap(printable(text), width)).join('\n')}\n`;
}
