import { describe, expect, it } from 'vitest';
import { type EmbeddedSymbol, embeddedSymbols } from './embedded-symbols.ts';

const TOKENS = Array.from({ length: 256 }, (_, code) => {
  if (code === 0x80) return 'sys_';
  if (code === 0x81) return '__x64_';
  const character = String.fromCharCode(code);
  return /[\w.$]/.test(character) ? character : `<${code}>`;
});

/** An image as kernels have it: names, markers, tokens and their index, among other bytes. */
function imageOf(symbols: readonly EmbeddedSymbol[], between = 0): Buffer {
  const names: number[] = [];
  const markers: number[] = [];
  for (const [index, { type, name }] of symbols.entries()) {
    if (index % 256 === 0) markers.push(names.length);
    const [, start = '', rest = ''] = /^((?:__x64_)?(?:sys_)?)(.*)$/.exec(name) ?? [];
    const codes = [...(type + (start === '' ? '' : '')), ...(start.match(/__x64_|sys_/g) ?? []), ...rest].map((part) =>
      TOKENS.indexOf(part),
    );
    names.push(...(codes.length < 128 ? [codes.length] : [0x80 | (codes.length & 0x7f), codes.length >> 7]), ...codes);
  }
  const count = Buffer.alloc(8);
  count.writeUInt32LE(symbols.length);
  const table = Buffer.from(TOKENS.map((token) => `${token}\0`).join(''), 'latin1');
  const index = Buffer.alloc(512);
  let at = 0;
  for (const [token, text] of TOKENS.entries()) {
    index.writeUInt16LE(at, 2 * token);
    at += text.length + 1;
  }
  const words = Buffer.alloc(4 * markers.length);
  for (const [i, marker] of markers.entries()) words.writeUInt32LE(marker, 4 * i);
  const parts = [Buffer.alloc(4096, 0xa5), count, Buffer.from(names), words, Buffer.alloc(between, 0x77), table, index];
  return Buffer.concat([...parts.map(padded), Buffer.alloc(100, 0xa5)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 7)]);
}

const SYMBOLS = Array.from({ length: 1500 }, (_, index) => {
  const name =
    index === 700 ? `long_${'x'.repeat(200)}` : index % 3 === 0 ? `__x64_sys_call${index}` : `function_${index}`;
  return { type: index % 2 === 0 ? 't' : 'T', name };
});

describe('embeddedSymbols', () => {
  it('finds the names of every symbol in an image, also with other tables between', () => {
    for (const between of [0, 8, 4500]) expect(embeddedSymbols(imageOf(SYMBOLS, between))).toEqual(SYMBOLS);
  });

  it('finds nothing where a table is damaged or there is none', () => {
    const image = imageOf(SYMBOLS);
    const names = image.indexOf('function_1', 0, 'latin1');
    expect(names).toBeGreaterThan(0);
    image[names - 2] = 40; // the length of a name
    expect(embeddedSymbols(image)).toEqual([]);
    expect(embeddedSymbols(Buffer.from(TOKENS.join('\0')))).toEqual([]);
    expect(embeddedSymbols(Buffer.alloc(0))).toEqual([]);
  });
});
