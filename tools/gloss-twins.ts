// Finds functions that do the opposite of each other and are described by one text.

/** Parts of names that are opposites: two names that differ in such a pair alone are twins. */
const OPPOSITES: readonly (readonly [string, string])[] = [
  ['acquire', 'release'],
  ['activate', 'deactivate'],
  ['add', 'del'],
  ['add', 'remove'],
  ['add', 'sub'],
  ['alloc', 'free'],
  ['alloc', 'kfree'],
  ['arm', 'disarm'],
  ['at', 'dt'],
  ['attach', 'detach'],
  ['begin', 'end'],
  ['bind', 'unbind'],
  ['block', 'unblock'],
  ['charge', 'uncharge'],
  ['compress', 'decompress'],
  ['connect', 'disconnect'],
  ['create', 'delete'],
  ['create', 'destroy'],
  ['create', 'remove'],
  ['down', 'up'],
  ['enable', 'disable'],
  ['encode', 'decode'],
  ['encrypt', 'decrypt'],
  ['enqueue', 'dequeue'],
  ['enter', 'exit'],
  ['enter', 'leave'],
  ['entry', 'exit'],
  ['first', 'last'],
  ['fork', 'exit'],
  ['freeze', 'thaw'],
  ['freeze', 'unfreeze'],
  ['get', 'put'],
  ['get', 'set'],
  ['grab', 'drop'],
  ['grow', 'shrink'],
  ['hash', 'unhash'],
  ['hold', 'put'],
  ['hold', 'release'],
  ['in', 'out'],
  ['inc', 'dec'],
  ['init', 'exit'],
  ['insert', 'delete'],
  ['insert', 'erase'],
  ['insert', 'remove'],
  ['install', 'uninstall'],
  ['isolate', 'putback'],
  ['link', 'unlink'],
  ['load', 'store'],
  ['load', 'unload'],
  ['lock', 'unlock'],
  ['malloc', 'free'],
  ['map', 'unmap'],
  ['mask', 'unmask'],
  ['max', 'min'],
  ['merge', 'split'],
  ['mount', 'umount'],
  ['next', 'prev'],
  ['on', 'off'],
  ['open', 'close'],
  ['open', 'release'],
  ['pause', 'resume'],
  ['pin', 'unpin'],
  ['plug', 'unplug'],
  ['populate', 'depopulate'],
  ['prepare', 'finish'],
  ['push', 'pop'],
  ['queue', 'dequeue'],
  ['read', 'write'],
  ['recv', 'send'],
  ['ref', 'unref'],
  ['register', 'unregister'],
  ['reserve', 'release'],
  ['rx', 'tx'],
  ['save', 'restore'],
  ['set', 'clear'],
  ['setup', 'teardown'],
  ['sleep', 'wake'],
  ['snd', 'rcv'],
  ['start', 'end'],
  ['start', 'stop'],
  ['suspend', 'resume'],
  ['throttle', 'unthrottle'],
  ['wait', 'wake'],
];

/** A function or system call and the text that says what it does. */
export interface Described {
  readonly name: string;
  readonly text: string;
}

/**
 * Pairs of names that are alike but for opposites (`alloc_iova`, `__free_iova`) and share one text, as messages.
 * Leading underscores do not tell names apart.
 */
export function sharedByOpposites(described: readonly Described[]): string[] {
  const byStem = new Map<string, Described[]>();
  for (const one of described) {
    const stem = stemOf(one.name);
    byStem.set(stem, [...(byStem.get(stem) ?? []), one]);
  }
  const problems: string[] = [];
  for (const [stem, ones] of byStem) {
    for (const twin of twinStems(stem)) {
      for (const { name, text } of ones) {
        const other = byStem.get(twin)?.find((candidate) => candidate.text === text);
        if (other) problems.push(`${name} and ${other.name} are opposites, but both are said to be: "${text}"`);
      }
    }
  }
  return problems;
}

function stemOf(name: string): string {
  return name.replace(/^_+/, '');
}

/** The names that a name becomes when one part of it, wherever it stands, gives way to its opposite. */
function twinStems(stem: string): Set<string> {
  const twins = new Set<string>();
  for (const [part, opposite] of OPPOSITES) {
    for (let at = stem.indexOf(part); at >= 0; at = stem.indexOf(part, at + 1)) {
      const twin = `${stem.slice(0, at)}${opposite}${stem.slice(at + part.length)}`;
      if (twin !== stem) twins.add(stemOf(twin));
    }
  }
  return twins;
}
