// Copying, and telling that it was done.
import { signal } from '@preact/signals';

/** What was copied last, as the page tells it for a while; ''. */
export const copied = signal('');

const SHOWN_MS = 2500;
let clearing: ReturnType<typeof setTimeout> | undefined;

/** Copies a text. @param what it is, for the message: `the path` */
export async function copyText(text: string, what: string): Promise<void> {
  const isDone = await write(text);
  copied.value = isDone ? `Copied ${what}.` : `The browser did not let ${what} be copied.`;
  clearTimeout(clearing);
  clearing = setTimeout(() => {
    copied.value = '';
  }, SHOWN_MS);
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return writeBySelection(text);
  }
}

/** For pages that may not use the clipboard otherwise. */
function writeBySelection(text: string): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'spoken';
  document.body.append(field);
  field.select();
  const isDone = document.execCommand('copy');
  field.remove();
  return isDone;
}
