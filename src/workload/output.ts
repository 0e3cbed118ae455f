/**
 * Reads what benchmarks print while they run: facts from the head, and the moments at which phases end.
 * Pure: bytes and times in, a {@link Workload} out.
 */

import type { Workload, WorkloadPhase } from '../census/workload.ts';
import { UsageError } from '../errors.ts';
import type { Benchmark, Facts } from './benchmarks/reader.ts';
import { benchmarkBeginning } from './benchmarks/registry.ts';
import { OutputLines } from './output-lines.ts';

export interface WorkloadReaderOptions {
  /** The command that prints, for its name and the flags that the output does not repeat. */
  readonly command?: readonly string[];
  /**
   * A line that matches ends a phase, for programs unknown here; takes the place of the known marks. Named groups
   * `name`, `ops`, `micros` tell about the phase; without `name` the first group, or else the whole match, is its name.
   */
  readonly phaseRegex?: RegExp;
}

/** @throws UsageError if the text of `--phase-regex` is no regular expression */
export function parsePhaseRegex(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw new UsageError(`--phase-regex: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Follows one run of a command. Feed it both streams as they come, then {@link finish}. */
export class WorkloadReader {
  readonly #options: WorkloadReaderOptions;
  readonly #lines = { stdout: new OutputLines(), stderr: new OutputLines() };
  readonly #phases: WorkloadPhase[] = [];
  readonly #facts: Facts = {};
  #benchmark: Benchmark | undefined;
  #started = false;
  /** When the phase that is running began. */
  #startMs: number;

  /** @param startMs when the command was started, on the caller's monotonic clock */
  constructor(startMs: number, options: WorkloadReaderOptions = {}) {
    this.#startMs = startMs;
    this.#options = options;
  }

  /** Takes what was printed and read at `atMs`. The chunk may be cut anywhere. */
  read(chunk: Uint8Array, atMs: number, stream: 'stdout' | 'stderr' = 'stdout'): void {
    this.#lines[stream].push(chunk, (line) => this.#line(line, atMs));
  }

  /** The command has ended: lines without an end count too. */
  finish(atMs: number): Workload | null {
    for (const lines of Object.values(this.#lines)) lines.end((line) => this.#line(line, atMs));
    return this.workload;
  }

  /** What is known so far; null as long as nothing is. */
  get workload(): Workload | null {
    if (this.#facts.name === undefined && this.#phases.length === 0) return null;
    return { name: commandName(this.#options.command), ...this.#facts, phases: [...this.#phases] };
  }

  #line(line: string, atMs: number): void {
    if (this.#options.phaseRegex) this.#markByRegex(this.#options.phaseRegex, line, atMs);
    this.#benchmark ??= benchmarkBeginning(line);
    if (this.#benchmark) this.#facts.name = this.#benchmark.name;
    const said = this.#benchmark?.read(line, this.#facts, {
      command: this.#options.command ?? [],
      started: this.#started,
      phases: this.#phases.length,
    });
    if (said === undefined || this.#options.phaseRegex) return;
    if ('start' in said) {
      this.#started = true;
      this.#startMs = atMs;
    } else if ('amend' in said) this.#amend(said.amend);
    else this.#end(said.end, atMs);
  }

  #end(phase: { readonly name: string } & Omit<WorkloadPhase, 'startMs' | 'endMs'>, atMs: number): void {
    this.#phases.push({ ...phase, startMs: this.#startMs, endMs: atMs });
    this.#startMs = atMs;
  }

  /** Something about the last phase that is printed after its end. */
  #amend(facts: { readonly operations: number }): void {
    const last = this.#phases.pop();
    if (last) this.#phases.push({ ...last, ...facts });
  }

  #markByRegex(regex: RegExp, line: string, atMs: number): void {
    const match = line.match(regex);
    if (!match) return;
    const { name = match[1] ?? match[0], ops, micros } = match.groups ?? {};
    const operations = numberOf(ops);
    const microsPerOp = numberOf(micros);
    const about = {
      ...(operations !== undefined && { operations }),
      ...(microsPerOp !== undefined && { microsPerOp }),
    };
    this.#end({ name: name.trim(), ...about }, atMs);
  }
}

function numberOf(text: string | undefined): number | undefined {
  const value = text === undefined ? Number.NaN : Number(text.replaceAll(',', ''));
  return Number.isFinite(value) ? value : undefined;
}

function commandName(command: readonly string[] | undefined): string {
  return command?.[0]?.split('/').at(-1) ?? 'unknown';
}
