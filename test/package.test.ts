import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recording } from './support/recordings.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'whocalls-package-'));
const seed = recording('rbtree-inserts-under-db_bench.txt');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, ...args: string[]) {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: 120_000 });
  expect(status, `${command} ${args.join(' ')}: ${stderr}${stdout}`).toBe(0);
  return stdout;
}

// The packed package in an empty folder, as somebody who depends on it has it. Nothing is downloaded: its few
// dependencies are packed as well, from where they are installed here.
beforeAll(() => {
  const pack = (from: string) => {
    const out = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
      cwd: from,
      encoding: 'utf8',
    });
    return `./${out.trim().split('\n').at(-1)}`;
  };
  const packed = [root, ...['fzstd', 'xz-decompress'].map((name) => join(root, 'node_modules', name))].map(pack);
  writeFileSync(join(folder, 'package.json'), '{ "name": "someone", "type": "module", "private": true }\n');
  run('npm', 'install', '--offline', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', ...packed);
}, 120_000);

test('node runs the example of the library', () => {
  cpSync(join(root, 'examples', 'library.mjs'), join(folder, 'example.mjs'));
  const lines = run('node', 'example.mjs', seed).split('\n');
  expect(lines[0]).toBe('counted-traces: 1203418 calls, 11940 lost, 0 lines skipped');
  expect(lines[1]).toMatch(/^1 944571 CPU scheduler \(fair class\): \S/);
  expect(lines).toContain('whocalls/report/2 4');
});

test('so it does what docs/library.md shows', () => {
  const examples = execFileSync('node', ['-e', EXTRACT, join(root, 'docs', 'library.md')], { encoding: 'utf8' });
  const [reading = '', comparing = '', , building = ''] = JSON.parse(examples) as string[];
  writeFileSync(join(folder, 'reading.mjs'), reading.replace('perf.txt', recording('perf-script.txt.gz')));
  expect(run('node', 'reading.mjs')).toContain('Only 0 calls with comm=nginx');
  const examples612 = join(root, 'examples', 'founding-case-6.12.pb.gz');
  const compared = comparing.replace('before.pb.gz', seed).replace('after.pb.gz', examples612);
  writeFileSync(join(folder, 'comparing.mjs'), `${compared}\nprocess.exitCode -= 3;\n`);
  expect(run('node', 'comparing.mjs')).toContain('tmigr_update_events');
  const shown = `${building}\nconsole.log(census.total, report(census).groups[0].site.name);\n`;
  writeFileSync(join(folder, 'building.mjs'), shown);
  expect(run('node', 'building.mjs')).toBe('13 ksys_read\n');
});

const EXTRACT = `
const text = require('fs').readFileSync(process.argv[1], 'utf8');
console.log(JSON.stringify([...text.matchAll(/\`\`\`js\\n([\\s\\S]*?)\`\`\`/g)].map(([, code]) => code)));
`;

test('npx runs the command', () => {
  const out = run('npx', '--no-install', 'whocalls', 'read', seed, '--top', '1');
  expect(out).toContain('Total 1203418 calls');
  expect(run('npx', '--no-install', 'whocalls', '--version').trim()).toMatch(/^\d+\.\d+\.\d+$/);
});

test('a program in TypeScript that imports it is type-checked', () => {
  for (const name of ['typescript', '@types', '@typescript', 'undici-types']) {
    const from = join(root, 'node_modules', name);
    if (readdirSync(join(root, 'node_modules')).includes(name)) symlinkSync(from, join(folder, 'node_modules', name));
  }
  writeFileSync(
    join(folder, 'program.ts'),
    `import { compare, readFile, record, report, runInLab, write, type Change, type Report, type Loss } from 'whocalls';
const { census } = await readFile('perf.txt');
const groups: Report = report(census, { by: 'site', top: 3 });
const losses: Loss[] = census.losses;
const change: Change | undefined = compare([[{ census }], [{ census }]]).groups[0]?.changes[0];
const text: string | Buffer = await write(groups, 'json');
const status: number = (await record({ targets: ['vfs_read'], command: ['true'] })).status;
const seconds: number = (await runInLab({ kernel: '6.1' }, ['true'])).bootSeconds;
// @ts-expect-error there is no such option
report(census, { colour: 'red' });
export { change, losses, seconds, status, text };
`,
  );
  const config = {
    compilerOptions: { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] },
    include: ['program.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  run(join(root, 'node_modules', '.bin', 'tsc'), '-p', folder);
});
