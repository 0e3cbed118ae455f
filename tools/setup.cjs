// Makes a checkout ready to run: dependencies installed, dist/ built from the sources as they stand.
// Plain JavaScript without dependencies, because it runs before anything is installed.
// CommonJS, because node starts that sooner, and bin/whocalls runs it every time.
const { spawnSync } = require('node:child_process');
const { linkSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } = require('node:fs');
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

/** Runs `work` while no other process of this checkout does. */
function underLock(work, lock = join(root, '.setup-lock')) {
  if (!take(lock)) return work(); // a read-only checkout: let the work itself say what fails
  const release = () => rmSync(lock, { force: true });
  process.once('exit', release); // a step that fails ends the process
  try {
    work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** Waits until the lock is this process's; false where there can be none. */
function take(lock) {
  const own = `${lock}.${process.pid}`;
  let hasSaid = false;
  try {
    writeFileSync(own, ownName());
    for (;;) {
      try {
        takeAt(lock, own);
        return true;
      } catch (error) {
        if (error.code !== 'EEXIST') return false;
      }
      const holder = holderOf(lock);
      if (holder !== null && !isAlive(holder, lock)) {
        removeStale(lock, holder);
        continue;
      }
      if (!hasSaid && holder !== null && process.stderr.isTTY) {
        process.stderr.write(
          `whocalls: waiting for process ${holder.split(' ')[0]}, which installs or builds here …\n`,
        );
        hasSaid = true;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  } catch {
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Takes and names the lock in one step, by a file of its own; in two where there are no hard links. */
function takeAt(lock, own) {
  try {
    linkSync(own, lock);
  } catch (error) {
    if (error.code === 'EEXIST') throw error;
    writeFileSync(lock, ownName(), { flag: 'wx' });
  }
}

/** What a lock says of its holder: number, start and namespace of the process; '' where it was left by an older version, null where it is gone. */
function holderOf(lock) {
  try {
    return readFileSync(lock, 'utf8');
  } catch (error) {
    return error.code === 'ENOENT' ? null : '';
  }
}

/** Removes the lock of a dead process. One at a time: who comes late would remove the lock of who came first. */
function removeStale(lock, holder) {
  const isStill = () => holderOf(lock) === holder;
  underLock(
    () => isStill() && rmSync(lock, { recursive: true, force: true }),
    `${lock}.${holder.replaceAll(/\W/g, '.')}`,
  );
}

/** Numbers of processes are used again: together with the start of one they are not. Others have them in a container. */
function ownName() {
  return `${process.pid} ${startOf(process.pid)} ${namespace()}`;
}

function isAlive(holder, lock) {
  const [pid, start, where] = holder.split(' ');
  if (where !== undefined && where !== namespace()) return isYoung(lock);
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return Number(pid) > 0 && startOf(pid) === start;
}

/** Of a process that cannot be asked for: nothing that is done under the lock takes longer. */
function isYoung(lock) {
  try {
    return Date.now() - statSync(lock).mtimeMs < 15 * 60_000;
  } catch {
    return false;
  }
}

/** The namespace that numbers processes for this one. */
function namespace() {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** When a process was started, in ticks since the machine was (proc(5)); '' where there is no /proc. */
function startOf(pid) {
  try {
    // The name, in parentheses, may hold anything.
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').pop().split(' ')[19];
  } catch {
    return '';
  }
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    process.stderr.write(`whocalls: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}\n`);
    process.exit(1);
  }
}

module.exports = { ensureReady, underLock };
if (require.main === module) ensureReady();
