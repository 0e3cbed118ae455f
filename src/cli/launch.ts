// The first file of the built command line, `dist/cli/main.cjs`: starts `program.cjs` beside it from what V8 made of it
// when it was built. Compiling takes longer than many commands do; in an emulated machine it is a third of a second.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { version } from '../version.ts';
import { ownArguments } from './own-arguments.ts';

const PROGRAM = join(__dirname, 'program.cjs');
// V8 checks its own version, but not for which processor it compiled: elsewhere it would crash.
const COMPILED = join(__dirname, `program.${process.platform}-${process.arch}.cache`);

const [, , first, ...others] = process.argv;
if (first === '--version' || first === '-V') process.stdout.write(`${version()}\n`);
else start(ownArguments(others).includes('--debug') || process.sourceMapsEnabled);

function start(withSourceMaps: boolean): void {
  // Node looks source maps up only for what require() loads.
  if (withSourceMaps || !existsSync(COMPILED)) {
    process.setSourceMapsEnabled(withSourceMaps);
    require(PROGRAM);
    return;
  }
  // What another version of V8 made is refused, and the source is compiled as ever.
  const script = new Script(asFunction(readFileSync(PROGRAM, 'latin1')), {
    filename: PROGRAM,
    cachedData: readFileSync(COMPILED),
  });
  script.runInThisContext()(module.exports, require, module, PROGRAM, __dirname);
}

/** A CommonJS module as the function that node calls. `tools/build.ts` compiles the very same text. */
function asFunction(source: string): string {
  return `(function (exports, require, module, __filename, __dirname) {${source}\n})`;
}
