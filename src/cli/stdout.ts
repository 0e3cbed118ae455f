/**
 * Waits until everything is written: a pipe takes a long report piece by piece. What goes wrong, the stream's own
 * listener in `main.ts` tells.
 */
export function toStdout(content: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(content, () => resolve());
  });
}
