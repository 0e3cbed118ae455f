// Makes a checkout ready to run: dependencies installed, dist/ built from the sources as they stand.
// Plain JavaScript without dependencies, because it runs before anything is installed.
// CommonJS, because node starts that sooner, and bin/whocalls runs it every time.
const { spawnSync } = require('node:child_process');
const { readdirSync, statSync } = require('node:fs');
const { dirname, join } = require('node:path');

const root = dirname(__dirname);
const stamp = join(root, 'dist', '.built');

/** What the built files are made from; a newer file in any of them means a new build. */
const SOURCES = [
  'src',
  'atlas',
  'web',
  'package.json',
  'tsconfig.types.json',
  'tools/build.ts',
  'tools/build-atlas.ts',
  'tools/atlas-areas.ts',
  'tools/atlas-shapes.ts',
  'tools/function-index.ts',
];

/** Installs and builds what is missing or older than its source. Costs a few milliseconds when nothing is. */
function ensureReady() {
  if (!isInstalled()) alone(() => isInstalled() || install());
  if (!isBuilt()) alone(() => isBuilt() || build());
}

/** Runs `work` while no other process of this checkout does. */
function alone(work) {
  require('./lock.cjs').underLock(work, join(root, '.setup-lock'));
}

function isInstalled() {
  const installed = modified(join(root, 'node_modules', '.package-lock.json'));
  return installed > 0 && installed >= modified(join(root, 'package-lock.json'));
}

function install() {
  process.stderr.write('whocalls: first use in this checkout, installing dependencies (npm ci) …\n');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

function isBuilt() {
  const built = modified(stamp);
  return built > 0 && SOURCES.every((source) => newest(join(root, source)) <= built);
}

function build() {
  run(process.execPath, ['--import', 'tsx', join('tools', 'build.ts')]);
}

/** Modification time in milliseconds, 0 where there is no such file. */
function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  let latest = stat.mtimeMs;
  for (const entry of readdirSync(path)) latest = Math.max(latest, newest(join(path, entry)));
  return latest;
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    process.stderr.write(`whocalls: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}\n`);
    process.exit(1);
  }
}

module.exports = { ensureReady };
if (require.main === module) ensureReady();
