// What came of a test run, as its last lines tell it.
import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

export interface TestResults {
  readonly passed: number;
  readonly failed: number;
  /** Why each test was skipped. */
  readonly skipped: readonly string[];
}

/** Where {@link ResultsReporter} is to write the results as JSON. */
export const RESULTS_VARIABLE = 'WHOCALLS_TEST_RESULTS';

const NO_REASON = 'no reason given';

/**
 * One line for each reason why tests were skipped, most skipped first; the last line is `N passed, N failed, N skipped`.
 */
export function closingLines({ passed, failed, skipped }: TestResults): string[] {
  return [...skippedLines(skipped), `${passed} passed, ${failed} failed, ${skipped.length} skipped`];
}

function skippedLines(skipped: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const reason of skipped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return byCount.map(([reason, count]) => `${count} skipped: ${reason}`);
}

/** Collects the results of all projects; for the configuration of vitest, so that a run by hand tells reasons as well. */
export class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const results = resultsOf(modules, unhandledErrors.length);
    const file = process.env[RESULTS_VARIABLE];
    if (file !== undefined) writeFileSync(file, JSON.stringify(results));
    else for (const line of skippedLines(results.skipped)) process.stdout.write(`${line}\n`);
  }
}

/** Counts tests. One that did not run because preparations failed has failed; so has an error outside of any test. */
function resultsOf(modules: readonly TestModule[], unhandledErrors: number): TestResults {
  let passed = 0;
  let failed = unhandledErrors;
  const skipped: string[] = [];
  for (const module of modules) {
    const broken = new Set([module, ...module.children.allSuites()].filter((suite) => suite.errors().length > 0));
    const told = new Set<TestModule | TestSuite>();
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      const obstacles = ancestors(test).filter((suite) => broken.has(suite));
      if (state === 'passed') passed += 1;
      else if (state === 'failed') failed += 1;
      else if (obstacles.length === 0 || lackOf(test) !== undefined) skipped.push(reasonOf(test));
      else {
        failed += 1;
        for (const suite of obstacles) told.add(suite);
      }
    }
    failed += broken.size - told.size;
  }
  return { passed, failed, skipped };
}

function reasonOf(test: TestCase): string {
  const { testNamePattern } = test.project.config;
  return lackOf(test) ?? (testNamePattern ? 'not chosen by -t' : `${NO_REASON} (${test.module.relativeModuleId})`);
}

/** Given to `ctx.skip`, or declared by the test or by a suite around it. */
function lackOf(test: TestCase): string | undefined {
  const result = test.result();
  if (result.state === 'skipped' && result.note !== undefined) return result.note;
  return [test, ...ancestors(test)]
    .map((task) => (task.meta() as { lack?: string }).lack)
    .find((lack) => lack !== undefined);
}

function ancestors(test: TestCase): (TestModule | TestSuite)[] {
  const found: (TestModule | TestSuite)[] = [];
  for (let at = test.parent; ; at = at.parent) {
    found.push(at);
    if (at.type === 'module') return found;
  }
}
