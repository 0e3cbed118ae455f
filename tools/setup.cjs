// Makes a checkout ready to run: dependencies installed, dist/ built from the sources as they stand.
// Plain JavaScript without dependencies, because it runs before anything is installed.
// CommonJS, because node starts that sooner, and bin/whocalls runs it every time.
const { spawnSync } = require('node:child_process');
const { mkdirSync, readdirSync, rmSync, statSync } = require('node:fs');
const { dirname, join } = require('node:path');

const root = dirname(__dirname);
const stamp = join(root, 'dist', '.built');

/** What the built files are made from; a newer file in any of them means a new build. */
const SOURCES = [
  'src',
  'atlas',
  'web',
  'package.json',
  'tools/build.mjs',
  'tools/build-atlas.mjs',
  'tools/atlas-areas.mjs',
  'tools/atlas-shapes.mjs',
  'tools/function-index.mjs',
];

/** Installs and builds what is missing or older than its source. Costs a few milliseconds when nothing is. */
function ensureReady() {
  if (!isInstalled()) underLock(() => isInstalled() || install());
  if (!isBuilt()) underLock(() => isBuilt() || build());
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
  run(process.execPath, [join(root, 'tools', 'build.mjs')]);
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

/** Runs `work` while no other process of this checkout does; a lock left by a dead process is taken after two minutes. */
function underLock(work) {
  const lock = join(root, '.setup-lock');
  const deadline = Date.now() + 120_000;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') return work(); // a read-only checkout: let the work itself say what fails
      if (Date.now() > deadline) rmSync(lock, { recursive: true, force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
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
