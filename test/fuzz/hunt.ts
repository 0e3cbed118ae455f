import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { BOUNDS, CELLS, type Finding, type WorkerPlan } from './protocol.ts';

/** What is to be tried, and for how long. */
export interface HuntPlan {
  readonly seed: number;
  readonly format: string | null;
  readonly from: number;
  readonly cases: number;
  readonly minutes: number;
  /** How many at once. */
  readonly jobs: number;
  /** A folder of its own. */
  readonly scratch: string;
}

/** Milliseconds between looks at the workers. */
const LOOK = 500;
const REPORT_EVERY = 60_000;
/** So many different problems are enough to work on. */
const MOST_FINDINGS = 20;

/** Threads do not have the loader of the main one. */
const BOOT = `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('worker.ts', import.meta.url).href)});
})`;

/** Runs cases in worker threads, ends those that hang, and keeps one case of every kind of problem. */
export class Hunt {
  onProgress: (line: string) => void = () => {};
  readonly #plan: HuntPlan;
  readonly #findings = new Map<string, Finding>();
  #others = 0;
  /** Of workers that are gone. */
  readonly #past = { done: 0, refused: 0, bytes: 0 };

  constructor(plan: HuntPlan) {
    this.#plan = plan;
  }

  async run(): Promise<{ findings: readonly Finding[]; summary: string }> {
    const { jobs, minutes, seed } = this.#plan;
    const started = Date.now();
    const deadline = started + minutes * 60_000;
    const running = await Promise.all(Array.from({ length: jobs }, (_, job) => this.#work(job, deadline)));
    void running;
    const seconds = Math.round((Date.now() - started) / 1000);
    const found = this.#findings.size === 0 ? 'nothing found' : `${this.#findings.size} kinds of problems`;
    const more = this.#others > 0 ? ` (${this.#others} more cases of them)` : '';
    const { done, refused, bytes } = this.#past;
    const summary = `${done} cases (seed ${seed}, ${Math.round(bytes / 1e6)} MB) in ${seconds} s: ${refused} refused, ${found}${more}`;
    return { findings: [...this.#findings.values()], summary };
  }

  /** Keeps one worker going, and starts another where it hangs. */
  async #work(job: number, deadline: number): Promise<void> {
    const { from, cases, jobs, seed, format, scratch } = this.#plan;
    const end = from + cases;
    for (let next: number | null = from + job; next !== null && next < end; ) {
      const shared = new SharedArrayBuffer(8 * Object.keys(CELLS).length);
      const plan: WorkerPlan = {
        seed,
        format,
        from: next,
        step: jobs,
        end,
        shared,
        scratch: join(scratch, `job-${job}`),
      };
      next = await this.#watch(plan, deadline);
    }
  }

  /** @returns the case to go on with; null when all are done or time is up */
  #watch(plan: WorkerPlan, deadline: number): Promise<number | null> {
    const cells = new Float64Array(plan.shared);
    cells[CELLS.current] = plan.from;
    const worker = new Worker(BOOT, { eval: true, workerData: plan });
    worker.on('message', (finding: Finding) => this.#found(finding));
    return new Promise((resolve, reject) => {
      let current = -1;
      let since = process.cpuUsage();
      let reported = Date.now();
      let hangs: number | null = null;
      const timer = setInterval(() => {
        const now = cells[CELLS.current] ?? 0;
        if (now !== current) {
          current = now;
          since = process.cpuUsage();
        }
        const { user, system } = process.cpuUsage(since);
        const isHanging = (user + system) / 1e6 > BOUNDS.cpuSeconds * this.#plan.jobs && (cells[CELLS.done] ?? 0) > 0;
        if (isHanging) hangs = now;
        if (isHanging || Date.now() > deadline || this.#findings.size >= MOST_FINDINGS) void worker.terminate();
        if (Date.now() - reported > REPORT_EVERY) {
          reported = Date.now();
          this.onProgress(
            `${this.#past.done + (cells[CELLS.done] ?? 0)} cases, at ${now}, ${this.#findings.size} problems`,
          );
        }
      }, LOOK);
      worker.on('error', (error) => {
        // Out of memory, or a mistake of the tool's own.
        if ((cells[CELLS.done] ?? 0) === 0) reject(error);
        else {
          hangs = cells[CELLS.current] ?? 0;
          this.#found({ number: hangs, problem: `the worker died: ${error.message}` });
        }
      });
      worker.on('exit', () => {
        clearInterval(timer);
        for (const key of ['done', 'refused', 'bytes'] as const) this.#past[key] += cells[CELLS[key]] ?? 0;
        if (hangs === null) return resolve(null);
        this.#found({ number: hangs, problem: 'time' });
        resolve(hangs + plan.step);
      });
    });
  }

  /** Of each kind of problem one is kept. Time and memory are looked at again by themselves. */
  #found({ number, problem }: Finding): void {
    const isSuspicion = problem === 'time' || problem === 'memory';
    const what = isSuspicion ? this.#confirmed(number, problem) : problem;
    if (what === null) return;
    const kind = what.replace(/\d+/g, 'N');
    if (this.#findings.has(kind)) this.#others += 1;
    else {
      this.#findings.set(kind, { number, problem: what });
      this.onProgress(`case ${number}: ${what}`);
    }
  }

  /** What a process of its own says of a case; null if it keeps within its bounds. */
  #confirmed(number: number, suspicion: string): string | null {
    const { seed, format } = this.#plan;
    const tool = fileURLToPath(new URL('../../tools/fuzz.ts', import.meta.url));
    const words = ['--only', String(number), '--seed', String(seed), ...(format === null ? [] : ['--format', format])];
    const { stdout, error } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', tool, ...words], {
      encoding: 'utf8',
      timeout: 120_000,
      killSignal: 'SIGKILL',
    });
    if (error || stdout === '') return `${suspicion}: does not end`;
    const { megabytes, cpuSeconds, stacks, bytes } = JSON.parse(stdout);
    const mayHave = BOUNDS.megabytes + (stacks * BOUNDS.bytesPerStack) / 1e6;
    if (cpuSeconds > BOUNDS.cpuSeconds) return `time: ${cpuSeconds} s of processor time for ${bytes} bytes`;
    if (megabytes > mayHave) return `memory: ${megabytes} MB for ${bytes} bytes, ${stacks} stacks`;
    return null;
  }
}
