import type { Entry } from '../census/knowledge.ts';

/** The text with a capital first letter, unless it starts with this name. */
export function capital(text: string, name: string): string {
  const isName = name !== '' && text.startsWith(name);
  return isName ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** `71 %`, `0.4 %`, `under 0.1 %`. */
export function percent(part: number, whole: number): string {
  const value = whole === 0 ? 0 : (100 * part) / whole;
  if (value > 0 && value < 0.1) return 'under 0.1 %';
  if (value < 100 && value > 99.9) return 'over 99.9 %';
  return `${value < 10 || value > 99 ? Number(value.toFixed(1)) : Math.round(value)} %`;
}

/** Where a path started, as part of a sentence: `in write(2)`, `from the timer interrupt`. */
export function startedBy({ kind, name }: Entry): string {
  switch (kind) {
    case 'syscall':
      return name === 'system call' ? 'in a system call' : `in ${name}`;
    case 'interrupt':
      return /^an? /.test(name) ? `from ${name}` : `from ${article(name)} ${name}`;
    case 'softirq':
      return name === 'soft interrupt' ? 'in a softirq' : `in the ${name}`;
    case 'exception':
      return `while a ${name} is handled`.replace(/ a (?=[aeiou])/, ' an ');
    case 'nmi':
      return 'in a non-maskable interrupt';
    case 'kthread':
      if (!name.includes(' ')) return `in a kernel thread (${name})`;
      return /thread|worker|daemon/.test(name) ? `in the ${name}` : `in the kernel thread ${name}`;
    case 'work':
      return `in a work item (${name})`;
    case 'idle':
      // A stack cut short on an idle CPU most often belongs to an interrupt there.
      return name === 'idle' ? 'in the idle loop' : 'on an idle CPU';
    case 'fork':
      return 'as a new task starts';
    case 'boot':
      return 'during boot';
    case 'user':
      return 'in user space';
    case 'user-return':
      return 'on the way back to user space';
    default:
      return 'from an entry the atlas does not know';
  }
}

function article(name: string): string {
  if (name === 'timer interrupt') return 'the';
  return /^[aeiou]/i.test(name) ? 'an' : 'a';
}
