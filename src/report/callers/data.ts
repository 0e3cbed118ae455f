import type { AddressHolder } from '../../image/callers.ts';
import { csvLine } from '../../report/csv.ts';
import type { CallerNode, CallersReport, CallingFunction, CoverageReport } from './build.ts';

/** Who can call functions, with stable keys (schema `whocalls/callers/1`). */
export function callersJson({ lookedAt, functions }: CallersReport, version: string): string {
  const { release, architecture, buildId, image, modules, otherModules, remarks } = lookedAt;
  const json = {
    schema: 'whocalls/callers/1',
    whocalls: version,
    kernel: release || null,
    architecture,
    buildId: buildId || null,
    image,
    modules: { lookedAt: modules, others: otherModules },
    functions: functions.map(({ name, module, file, gloss, sites, holders, parts, tree, covered }) => ({
      name,
      module,
      file,
      gloss,
      sites: sites.length,
      callers: parts.flatMap((part) => part.functions.map((one) => caller(one))),
      holders: holders.map(holder),
      ...(tree && { tree: tree.map(node) }),
      ...(covered && { coverage: coverageJson(covered) }),
    })),
    remarks,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

/** The coverage of every target of a report, with the image it was looked up in. */
export function coverageDocument({ lookedAt, functions }: CallersReport): object {
  return {
    image: lookedAt.image,
    buildId: lookedAt.buildId || null,
    modules: { lookedAt: lookedAt.modules, others: lookedAt.otherModules },
    targets: functions.flatMap(({ name, covered }) => (covered ? [{ name, ...coverageJson(covered) }] : [])),
    remarks: lookedAt.remarks,
  };
}

/** What recordings used, with stable keys. */
function coverageJson({ coverage, parts }: CoverageReport): object {
  const ways = new Map(
    parts.flatMap((part) => [...part.ways].map(([one, way]) => [`${one.module} ${one.symbol}`, { way, part }])),
  );
  const { calls, throughSites, notToldApart, throughPointers, notLookedAt, noOffset, strange, strangeFrames } =
    coverage;
  return {
    calls,
    throughSites,
    notToldApart,
    throughPointers,
    notLookedAt,
    noOffset,
    strange,
    strangeFrames,
    sites: coverage.sites.map(({ symbol, module, offset, kind, target, state, calls: own }) => {
      const described = ways.get(`${module} ${symbol}`);
      return {
        symbol,
        module,
        offset,
        kind,
        target,
        subsystem: described?.part.subsystem ?? null,
        state,
        calls: own,
        ...(state === 'not used' && { wayUp: described?.way || null }),
      };
    }),
  };
}

function caller({ symbol, name, module, file, subsystem, gloss, sites }: CallingFunction): object {
  return {
    name,
    symbol,
    module,
    file,
    subsystem,
    gloss,
    sites: sites.map(({ offset, kind, target }) => ({ offset, kind, target })),
  };
}

function holder({ object, module, offset, isCode }: AddressHolder): object {
  return { object, module, offset, kind: isCode ? 'code' : 'data' };
}

function node({ name, module, sites, isEntry, isShown, callers, more, heldBy }: CallerNode): object {
  return {
    name,
    module,
    sites,
    isEntry,
    isRepeated: isShown,
    heldBy: heldBy.map(holder),
    callers: callers.map(node),
    more,
  };
}

const HEAD = ['function', 'kind', 'caller', 'symbol', 'module', 'offset', 'file', 'subsystem'];

/** The same as comma-separated values, a row for each site and for each place that keeps an address. */
export function callersCsv({ functions }: CallersReport): string {
  const rows = functions.flatMap(({ name, parts, holders }) => [
    ...parts.flatMap((part) =>
      part.functions.flatMap(({ name: by, symbol, module, file, subsystem, sites }) =>
        sites.map(({ kind, offset }) => [name, kind, by, symbol, module, offset, file ?? '', subsystem]),
      ),
    ),
    ...holders.map(({ object, module, offset, isCode }) => {
      return [name, isCode ? 'address taken' : 'address kept', object, object, module, offset, '', ''];
    }),
  ]);
  return [HEAD, ...rows].map(csvLine).join('');
}

/** The same as a graph of Graphviz: callers point to what they call. */
export function callersDot({ functions }: CallersReport): string {
  const edges = new Set<string>();
  const quoted = (name: string): string => `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const add = (from: string, to: string, style = ''): void => {
    edges.add(`  ${quoted(from)} -> ${quoted(to)}${style};`);
  };
  const walk = (to: string, nodes: readonly CallerNode[]): void => {
    for (const { name, callers } of nodes) {
      add(name, to);
      walk(name, callers);
    }
  };
  for (const { name, parts, holders, tree } of functions) {
    if (tree) walk(name, tree);
    else for (const { functions: own } of parts) for (const one of own) add(one.name, name);
    for (const { object, isCode } of holders) if (!isCode) add(object, name, ' [style=dashed]');
  }
  return `digraph callers {\n  rankdir=LR;\n  node [shape=box];\n${[...edges].join('\n')}\n}\n`;
}
