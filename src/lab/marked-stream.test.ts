import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MarkedStream } from './marked-stream.ts';

const MARK = '0123456789abcdef';

describe('MarkedStream', () => {
  it('gives exactly the bytes before the mark, however they come cut up', () => {
    // Beginnings of the mark inside the output are what could go wrong.
    const piece = fc.oneof(
      fc.string(),
      fc.nat(MARK.length - 1).map((length) => MARK.slice(0, length)),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (pieces, sizes) => {
        const output = Buffer.from(pieces.join(''));
        const all = Buffer.concat([output, Buffer.from(MARK)]);
        const got: Buffer[] = [];
        const stream = new MarkedStream(MARK, (bytes) => got.push(Buffer.from(bytes)));
        for (let at = 0, turn = 0; at < all.length; turn++) {
          expect(stream.ended).toBe(false);
          const size = sizes[turn % sizes.length] ?? 1;
          stream.push(all.subarray(at, at + size));
          at += size;
        }
        expect(stream.ended).toBe(true);
        expect(Buffer.concat(got).equals(output)).toBe(true);
      }),
    );
  });

  it('gives back what it held when the mark never came', () => {
    const got: string[] = [];
    const stream = new MarkedStream(MARK, (bytes) => got.push(bytes.toString()));
    stream.push(Buffer.from('out 0123'));
    expect(got).toEqual(['out ']);
    stream.flush();
    expect(got.join('')).toBe('out 0123');
    expect(stream.ended).toBe(false);
  });
});
