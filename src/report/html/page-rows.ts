import { decisionOf } from '../../atlas/explain.ts';
import { UNKNOWN } from '../../census/call-key.ts';
import type { Census } from '../../census/census.ts';
import type { ClassifiedCall, Classifier } from '../../census/classify.ts';
import { type CallFacts, DIMENSIONS, type Dimension, unknownLabel } from '../../census/dimensions.ts';
import type { Confidence } from '../../census/knowledge.ts';
import { PhaseClock } from '../../census/phases.ts';
import { TupleTable } from '../../census/tuple-table.ts';
import { column, deltaColumn, type EncodedColumn } from './column-bytes.ts';
import type { PageTree } from './page-tree.ts';

/** Dimensions that follow from the path and the argument: calls differ in few combinations of them. */
const OF_CLASS: readonly string[] = ['site', 'subject', 'tree', 'subsystem', 'entry', 'syscall', 'report'];

/** How much a path can be trusted. */
const DOUBT = { none: 0, doubted: 1, partial: 2 } as const;

/** How sure something is, by its number in columns. */
const CONFIDENCES: readonly Confidence[] = ['certain', 'likely', 'unknown'];

/** Columns of classes that are no dimensions. */
const CLASS_OWN = ['doubt', 'decision', 'decisionConfidence', 'subjectConfidence'] as const;

/** A dimension as the page knows it. */
export interface PageDimension {
  readonly name: string;
  readonly summary: string;
  /** Every value and, for those that are not known, what is printed instead. */
  readonly values: readonly string[];
  /** Which of the values are such stand-ins: nothing equals them. */
  readonly unknown: readonly number[];
  /** Ids of subjects, by value, '' where there is none; left out where values have none. */
  readonly ids?: readonly string[];
  /** Kinds of entries, by value; left out of other dimensions. */
  readonly kinds?: readonly string[];
}

export interface PageRows {
  readonly count: number;
  readonly classes: number;
  readonly stacks: number;
  readonly dimensions: readonly PageDimension[];
  /** What happened: clauses without a full stop. */
  readonly decisions: readonly string[];
  readonly columns: readonly EncodedColumn[];
}

/** What is collected of the rows before the tree has its order. */
export class RowCollector {
  readonly #census: Census;
  readonly #classifier: Classifier;
  readonly #clock: PhaseClock;
  readonly #dimensions = DIMENSIONS.filter(({ isFilterOnly, name }) => !isFilterOnly && name !== 'stack').map(
    (dimension) => new ValueTable(dimension),
  );
  readonly #ofClass = this.#dimensions.filter(({ name }) => OF_CLASS.includes(name));
  readonly #ofRow = this.#dimensions.filter(({ name }) => !OF_CLASS.includes(name));
  /** Doubt, decision, how sure that and the subject are, then the values of {@link #ofClass}. */
  readonly #classes = new TupleTable(CLASS_OWN.length + this.#ofClass.length);
  readonly #decisions = new DecisionTable();
  readonly #nodes: Int32Array;
  readonly #classOf: Int32Array;
  readonly #values: readonly Int32Array[];

  constructor(census: Census, classifier: Classifier) {
    this.#census = census;
    this.#classifier = classifier;
    this.#clock = new PhaseClock(census);
    const { size } = census.rows;
    this.#nodes = new Int32Array(size);
    this.#classOf = new Int32Array(size);
    this.#values = this.#ofRow.map(() => new Int32Array(size));
  }

  /** Reads every row, which also makes the nodes of the tree. @returns calls whose stack ends in a node, by node */
  collect(tree: PageTree): Float64Array {
    const { rows } = this.#census;
    const tuple = new Int32Array(CLASS_OWN.length + this.#ofClass.length);
    for (let number = 0; number < rows.size; number++) {
      const row = rows.row(number);
      const call = this.#classifier.classify(row);
      const key = this.#classifier.keyOf(row.key);
      const facts: CallFacts = { census: this.#census, row, key, call, clock: this.#clock };
      const { isDoubted, isPartial } = call.path;
      tuple[0] = isPartial ? DOUBT.partial : isDoubted ? DOUBT.doubted : DOUBT.none;
      [tuple[1], tuple[2]] = this.#decisions.of(call);
      tuple[3] = CONFIDENCES.indexOf(call.labels.confidence);
      for (const [i, values] of this.#ofClass.entries()) tuple[i + CLASS_OWN.length] = values.of(facts);
      this.#classOf[number] = this.#classes.intern(tuple);
      for (const [i, values] of this.#ofRow.entries()) (this.#values[i] as Int32Array)[number] = values.of(facts);
      this.#nodes[number] = tree.nodeOf(row, call, this.#classifier);
    }
    const own = new Float64Array(tree.size);
    for (let number = 0; number < rows.size; number++) {
      const node = this.#nodes[number] as number;
      own[node] = (own[node] as number) + rows.row(number).count;
    }
    return own;
  }

  /** @param position of a node in the page, by its number */
  finish(position: Uint32Array): PageRows {
    const { rows, keys, measures } = this.#census;
    const order = this.#order(position);
    const along = (ofRow: (number: number) => number) => Float64Array.from(order, ofRow);
    const stacks = new Map<number, number>();
    const stackOf = (number: number) => {
      const { stack } = rows.row(number);
      const known = stacks.get(stack) ?? stacks.size;
      stacks.set(stack, known);
      return known;
    };
    const bucketOf = (number: number) => keys.at(rows.row(number).key).bucket - UNKNOWN;
    const classes = Array.from({ length: this.#classes.size }, (_, i) => i);
    const ofClass = (at: number) => classes.map((one) => this.#classes.value(one, at));
    return {
      count: rows.size,
      classes: classes.length,
      dimensions: this.#dimensions.map((values) => values.finish()),
      decisions: this.#decisions.texts,
      columns: [
        deltaColumn(
          'row:node',
          along((number) => position[this.#nodes[number] as number] as number),
        ),
        deltaColumn('row:stack', along(stackOf)),
        column(
          'row:class',
          along((number) => this.#classOf[number] as number),
        ),
        ...this.#ofRow.map(({ name }, i) =>
          column(
            `row:${name}`,
            along((number) => this.#values[i]?.[number] as number),
          ),
        ),
        ...(this.#census.facts.bucketMilliseconds === null ? [] : [deltaColumn('row:bucket', along(bucketOf))]),
        column(
          'row:count',
          along((number) => rows.row(number).count),
        ),
        ...measures.map((_, measure) =>
          column(
            `row:measure:${measure}`,
            along((number) => rows.sum(number, measure)),
          ),
        ),
        ...CLASS_OWN.map((name, i) => column(`class:${name}`, ofClass(i))),
        ...this.#ofClass.map(({ name }, i) => column(`class:${name}`, ofClass(i + CLASS_OWN.length))),
      ],
      stacks: stacks.size,
    };
  }

  /** Rows by node, then stack. */
  #order(position: Uint32Array): Uint32Array {
    const { rows } = this.#census;
    const keys = new Float64Array(rows.size);
    // Nodes and stacks are fewer than 2^26, rows follow by their number where both are the same.
    for (let number = 0; number < rows.size; number++) {
      keys[number] = (position[this.#nodes[number] as number] as number) * 2 ** 26 + rows.row(number).stack;
    }
    const order = Uint32Array.from({ length: rows.size }, (_, i) => i);
    return order.sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
  }
}

/** What happened on paths, by number. */
class DecisionTable {
  readonly texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #known = new Map<ClassifiedCall, readonly [decision: number, confidence: number]>();

  of(call: ClassifiedCall): readonly [decision: number, confidence: number] {
    let known = this.#known.get(call);
    if (!known) {
      const { text, confidence } = decisionOf(call.view);
      const number = this.#numbers.get(text) ?? this.texts.push(text) - 1;
      this.#numbers.set(text, number);
      known = [number, CONFIDENCES.indexOf(confidence)];
      this.#known.set(call, known);
    }
    return known;
  }
}

/** The values of one dimension, by number in the order in which they were met. */
class ValueTable {
  readonly name: string;
  readonly #dimension: Dimension;
  readonly #ids = new Map<string, number>();
  readonly #values: string[] = [];
  readonly #unknown: number[] = [];
  readonly #subjects: string[] = [];
  readonly #kinds: string[] = [];

  constructor(dimension: Dimension) {
    this.#dimension = dimension;
    this.name = dimension.name;
  }

  of(facts: CallFacts): number {
    const value = this.#dimension.valueOf(facts);
    const text = value ?? unknownLabel(this.#dimension, facts);
    const key = `${value === null ? '?' : '='}${text}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#values.push(text) - 1;
      this.#ids.set(key, id);
      if (value === null) this.#unknown.push(id);
      this.#subjects.push(value === null ? '' : (facts.call.labels.subject?.id ?? ''));
      this.#kinds.push(facts.call.path.entry.kind);
    }
    return id;
  }

  finish(): PageDimension {
    const { name, summary } = this.#dimension;
    const hasIds = name === 'subject' || name === 'tree';
    const hasKinds = name === 'entry' || name === 'syscall';
    return {
      name,
      summary,
      values: this.#values,
      unknown: this.#unknown,
      ...(hasIds && { ids: this.#subjects }),
      ...(hasKinds && { kinds: this.#kinds }),
    };
  }
}
