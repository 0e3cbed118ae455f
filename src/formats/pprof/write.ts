import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  Label,
  Line,
  Location,
  Mapping,
  Profile,
  Function as ProfileFunction,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format';
import { KEY_COLUMN_LIST, UNKNOWN } from '../../census/call-key.ts';
import type { Census } from '../../census/census.ts';
import type { StackId } from '../../census/stack-table.ts';
import { lossText } from '../loss-text.ts';
import {
  CENSUS_COMMENT,
  type CensusComment,
  FIRST_MAPPING,
  fileOfPlace,
  functionName,
  LABEL,
  LOST_MAPPING,
} from './encoding.ts';

/** pprof-format loses messages without any content; what a measure is called the comment tells. */
const NAMELESS = 'value';

/** A census as a gzipped pprof profile, from which `pprofReader` reads the same census back. */
export async function writePprof(census: Census): Promise<Buffer> {
  const strings = new StringTable();
  const places = new Places(census, strings);
  const sample: Sample[] = [];
  for (let number = 0; number < census.rows.size; number++) {
    const row = census.rows.row(number);
    const label: Label[] = [];
    const target = census.targets[row.target];
    const add = (key: string, text: string) => {
      if (text !== '') label.push(new Label({ key: strings.dedup(key), str: strings.dedup(text) }));
    };
    add(LABEL.target, target ?? '');
    const key = census.keys.at(row.key);
    for (const [column, { label: name }] of KEY_COLUMN_LIST) {
      const value = key[column];
      // Numbers as text: zero is protobuf's default and would vanish as a number.
      add(name, value === UNKNOWN ? '' : String(value));
    }
    const sums = census.measures.map((_, measure) => census.rows.sum(number, measure));
    sample.push(new Sample({ locationId: places.locationsOf(row.stack), value: [row.count, ...sums], label }));
  }
  const none = census.measures.map(() => 0);
  for (const { count, ...cause } of census.losses) {
    const text = lossText(cause);
    const label = [new Label({ key: strings.dedup(LABEL.lost), str: strings.dedup(text) })];
    sample.push(new Sample({ locationId: [places.lossLocation(text)], value: [count, ...none], label }));
  }
  const { targets, facts, measures } = census;
  const comment: CensusComment = { targets, facts, measures };
  const calls = new ValueType({ type: strings.dedup('calls'), unit: strings.dedup('count') });
  const profile = new Profile({
    sampleType: [
      calls,
      ...measures.map(
        ({ name, unit }) => new ValueType({ type: strings.dedup(name || NAMELESS), unit: strings.dedup(unit) }),
      ),
    ],
    sample,
    mapping: places.mappings,
    location: places.locations,
    function: places.functions,
    stringTable: strings,
    durationNanos: Math.round((census.facts.durationSeconds ?? 0) * 1e9),
    periodType: calls,
    period: 1,
    comment: [strings.dedup(CENSUS_COMMENT + JSON.stringify(comment))],
  });
  return promisify(gzip)(profile.encode());
}

/** What makes a location of a profile. */
interface LocationKey {
  /** That of the mapping. */
  readonly file: string;
  /** As {@link functionName} makes it. */
  readonly name: string;
  readonly raw: string;
  /** The source file where the census knows it, else that of the mapping again. */
  readonly source: string;
  /** 0 where unknown. */
  readonly line: number;
  readonly offset: number;
}

/** Locations, functions and mappings, each made once. */
class Places {
  readonly locations: Location[] = [];
  readonly functions: ProfileFunction[] = [];
  readonly mappings: Mapping[] = [];
  readonly #census: Census;
  readonly #strings: StringTable;
  readonly #functionIds = new Map<string, number>();
  readonly #mappingIds = new Map<string, number>();
  readonly #locationIds = new Map<string, number>();

  constructor(census: Census, strings: StringTable) {
    this.#census = census;
    this.#strings = strings;
    this.#mapping(FIRST_MAPPING);
  }

  /** Innermost first, as pprof has it. */
  locationsOf(stack: StackId): number[] {
    const { stacks, symbols } = this.#census;
    return stacks.prefixes(stack).map((at) => {
      const symbol = stacks.symbol(at);
      const file = fileOfPlace(symbols.space(symbol), symbols.module(symbol));
      return this.#location({
        file,
        name: functionName(symbols.name(symbol), stacks.isUnreliable(at), stacks.isInlined(at)),
        raw: symbols.raw(symbol),
        source: symbols.file(symbol) || file,
        line: symbols.line(symbol),
        offset: stacks.offset(at),
      });
    });
  }

  lossLocation(cause: string): number {
    const name = `[lost: ${cause}]`;
    return this.#location({ file: LOST_MAPPING, name, raw: name, source: LOST_MAPPING, line: 0, offset: UNKNOWN });
  }

  #location(place: LocationKey): number {
    const { file, name, raw, source, line, offset } = place;
    const key = `${file}\0${name}\0${raw}\0${source}\0${line}\0${offset}`;
    const known = this.#locationIds.get(key);
    if (known !== undefined) return known;
    const id = this.locations.length + 1;
    this.#locationIds.set(key, id);
    const functionId = this.#function(source, name, raw);
    // The offset plus one in place of an address: kernels load elsewhere at every boot, offsets stay.
    this.locations.push(
      new Location({
        id,
        mappingId: this.#mapping(file),
        address: offset + 1,
        line: [new Line({ functionId, line })],
      }),
    );
    return id;
  }

  #function(file: string, name: string, systemName: string): number {
    const key = `${file}\0${systemName}\0${name}`;
    const known = this.#functionIds.get(key);
    if (known !== undefined) return known;
    const id = this.functions.length + 1;
    this.#functionIds.set(key, id);
    this.functions.push(
      new ProfileFunction({
        id,
        name: this.#strings.dedup(name),
        systemName: this.#strings.dedup(systemName),
        filename: this.#strings.dedup(file),
      }),
    );
    return id;
  }

  #mapping(file: string): number {
    const known = this.#mappingIds.get(file);
    if (known !== undefined) return known;
    const id = this.mappings.length + 1;
    this.#mappingIds.set(file, id);
    this.mappings.push(new Mapping({ id, filename: this.#strings.dedup(file), hasFunctions: true }));
    return id;
  }
}
