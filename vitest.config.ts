import { configDefaults, defineConfig } from 'vitest/config';
import { ResultsReporter } from './tools/test-results.ts';

const VIRTUAL_MACHINE = '**/*.vm.test.ts';
const BROWSER = 'test/page/browser/**/*.test.ts';

export default defineConfig({
  test: {
    globalSetup: 'tools/vitest-setup.ts',
    testTimeout: 60_000,
    reporters: ['default', new ResultsReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'host',
          include: ['{src,test,tools}/**/*.test.ts'],
          exclude: [...configDefaults.exclude, VIRTUAL_MACHINE, BROWSER],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // One virtual machine at a time, and nothing beside it: deadlines are for a machine that is not shared.
        extends: true,
        test: { name: 'vm', include: [VIRTUAL_MACHINE], maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      {
        // A browser is several processes itself.
        extends: true,
        test: { name: 'page', include: [BROWSER], maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
