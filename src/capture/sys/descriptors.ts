import { closeSync } from 'node:fs';

/** File descriptors of objects of the kernel, which live as long as these. */
export class Descriptors {
  readonly #open: number[] = [];

  /** Keeps a descriptor, and returns it. */
  hold(descriptor: number): number {
    this.#open.push(descriptor);
    return descriptor;
  }

  /** Takes over what others hold. */
  take(others: Descriptors): void {
    this.#open.push(...others.#open.splice(0));
  }

  /** Closes all of them, the last one first. */
  close(): void {
    for (let one = this.#open.pop(); one !== undefined; one = this.#open.pop()) closeSync(one);
  }
}
