/** A text that is read from left to right. */
export class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What the sticky expression matches here; null, and nothing is read, where it does not. */
  take(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#at;
    const match = sticky.exec(this.#text);
    if (match) this.#at += match[0].length;
    return match;
  }

  isAtEnd(): boolean {
    return this.#text.slice(this.#at).trim() === '';
  }
}
