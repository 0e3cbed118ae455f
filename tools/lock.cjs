// Lets one process of several work at a time. Loaded by tools/setup.cjs where there is something to do.
// A lock is a symbolic link that does not lead anywhere but says who holds it: it is there and named in one step.
const { lstatSync, readFileSync, readlinkSync, rmSync, symlinkSync } = require('node:fs');

/** Of a holder in another container, which cannot be asked for: nothing done under a lock takes longer. */
const LONGEST_MS = 15 * 60_000;

/** Runs `work` while no other process has the lock. */
function underLock(work, lock) {
  if (!take(lock)) return work(); // a read-only folder: let the work itself say what fails
  const release = () => rmSync(lock, { force: true });
  process.once('exit', release); // work that fails ends the process
  try {
    return work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** Waits until the lock is this process's; false where there can be none. */
function take(lock) {
  for (let hasSaid = false; ; ) {
    try {
      symlinkSync(nameOf(process.pid), lock);
      return true;
    } catch (error) {
      if (error.code !== 'EEXIST') return false;
    }
    const holder = holderOf(lock);
    if (holder === null) continue;
    if (!isAtWork(holder, lock)) {
      removeStale(lock, holder);
      continue;
    }
    if (!hasSaid && process.stderr.isTTY)
      process.stderr.write(`whocalls: waiting for process ${holder.split(' ')[0]} …\n`);
    hasSaid = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

/** What the lock says of its holder; '' where something else is in its place, null where it is gone. */
function holderOf(lock) {
  try {
    return readlinkSync(lock);
  } catch (error) {
    return error.code === 'ENOENT' ? null : '';
  }
}

/** Removes the lock of a dead process. One at a time: who comes late would remove the lock of who came first. */
function removeStale(lock, holder) {
  underLock(
    () => holderOf(lock) === holder && rmSync(lock, { recursive: true, force: true }),
    `${lock}.${holder.replaceAll(/\W/g, '.')}`,
  );
}

/**
 * `PID START NAMESPACE`: numbers of processes are used again, together with the start of one (in ticks since the machine
 * was started, proc(5)) they are not; in a container others have them. Without /proc it is the number alone.
 */
function nameOf(pid) {
  try {
    // The name, in parentheses, may hold anything.
    const start = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').pop().split(' ')[19];
    return `${pid} ${start} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return `${pid}`;
  }
}

function isAtWork(holder, lock) {
  const [pid, , namespace] = holder.split(' ');
  if (namespace !== nameOf(process.pid).split(' ')[2]) {
    const since = lstatSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return namespace !== undefined && Date.now() - since < LONGEST_MS;
  }
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  return Number(pid) > 0 && nameOf(pid) === holder;
}

module.exports = { underLock };
