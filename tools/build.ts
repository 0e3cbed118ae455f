// Builds dist/ from src/ and atlas/:
// - dist/cli/main.cjs, program.cjs and program.*.cache: the command line as one file, with what V8 compiled of it here
// - dist/index.js: the library, with declarations in dist/types/
// - dist/web/: the script and the style of the page
// - dist/guest/: the scripts of the virtual machine
// - dist/atlas/
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { type BuildOptions, build } from 'esbuild';
import { messageOf } from '../src/errors.ts';
import { buildAtlas } from './build-atlas.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  sourcemap: 'linked',
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** Packages that are native or seldom needed stay outside. */
const EXTERNAL = ['fzstd', 'koffi', 'xz-decompress'];

/** What a page may weigh before its data: it is sent around. */
const MOST_PAGE_BYTES = { page: 150 * 1024, 'page-compare': 170 * 1024 };

rmSync(dist, { recursive: true, force: true });
await build({ ...common, entryPoints: ['src/index.ts'], outdir: 'dist', format: 'esm', external: EXTERNAL });
buildDeclarations();
const inPage = await buildPage();
await buildProgram(inPage);
cpSync(join(root, 'src', 'lab', 'guest'), join(dist, 'guest'), { recursive: true });
try {
  buildAtlas();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
writeFileSync(join(dist, '.built'), process.versions.v8);

/** Declarations name their neighbours as the sources do, with `.ts`; who imports the package has `.js` and `.d.ts`. */
function buildDeclarations(): void {
  const { status } = spawnSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.types.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the declarations of the library cannot be made');
  const types = join(dist, 'types');
  for (const file of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.d.ts')) continue;
    const text = readFileSync(join(types, file), 'utf8');
    writeFileSync(join(types, file), text.replace(/((?:from |import\()["']\.[^"']*)\.ts(["'])/g, '$1.js$2'));
  }
}

/**
 * The command line in one CommonJS file, because every file costs, and so do modules of the other kind. Packages that
 * are native or seldom needed stay outside.
 */
async function buildProgram(inPage: readonly string[]): Promise<void> {
  const { metafile } = await build({
    ...common,
    entryPoints: { main: 'src/cli/launch.ts', program: 'src/cli/main.ts' },
    outdir: 'dist/cli',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    external: EXTERNAL,
    // import() of an external package would start the loader of ECMAScript modules.
    supported: { 'dynamic-import': false },
    banner: { js: "const __url = require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': '__url' },
    minifyWhitespace: true,
    minifySyntax: true,
    charset: 'ascii',
    legalComments: 'none',
    metafile: true,
  });
  writeFileSync(join(dist, 'THIRD-PARTY-LICENSES'), licences([...Object.keys(metafile.inputs), ...inPage]));
  const program = readFileSync(join(dist, 'cli', 'program.cjs'));
  if (program.some((byte) => byte > 127))
    throw new Error('program.cjs is not ASCII: write \\u… in regular expressions');
  const cache = `program.${process.platform}-${process.arch}.cache`;
  writeFileSync(join(dist, 'cli', cache), compiled(program.toString('latin1')));
}

/**
 * The page's script and style, which `--format html` puts into every page. The licences of what is bundled go with it,
 * because a page is passed on by itself.
 *
 * @returns the files that went into it
 */
async function buildPage(): Promise<string[]> {
  const bundle: BuildOptions = {
    absWorkingDir: root,
    entryPoints: { page: 'web/main.tsx', 'page-compare': 'web/main-compare.tsx' },
    outdir: 'dist/web',
    bundle: true,
    format: 'esm',
    target: ['chrome103', 'firefox115', 'safari16.4'],
    // Children as arguments make a smaller script than children as a property.
    jsx: 'transform',
    jsxFactory: 'createElement',
    jsxFragment: 'Fragment',
    inject: ['web/jsx.ts'],
    tsconfigRaw: {}, // that of web/ says otherwise, for tsc
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  };
  const { metafile } = await build(bundle);
  const inputs = Object.keys(metafile?.inputs ?? {});
  for (const [name, most] of Object.entries(MOST_PAGE_BYTES)) {
    const script = join(dist, 'web', `${name}.js`);
    writeFileSync(script, `/*\n${licences(inputs)}*/\n${readFileSync(script, 'utf8')}`);
    const bytes = ['js', 'css'].reduce((sum, ending) => sum + statSync(join(dist, 'web', `${name}.${ending}`)).size, 0);
    if (bytes > most) throw new Error(`script and style of ${name} have ${bytes} bytes: too many`);
  }
  return inputs;
}

/**
 * Every function as V8 compiles it, for src/cli/launch.ts. V8 compiles functions when they are first called unless it
 * is told otherwise; it has to be told back before writing, because it accepts only what was written with its own flags.
 */
function compiled(source: string): Buffer {
  setFlagsFromString('--no-lazy');
  const text = `(function (exports, require, module, __filename, __dirname) {${source}\n})`;
  const script = new Script(text, { filename: 'program.cjs' }); // the name is kept
  setFlagsFromString('--lazy');
  return script.createCachedData();
}

/** The licences of the packages that are part of a bundle of these files. */
function licences(inputs: readonly string[]): string {
  const packages = new Set(inputs.flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []));
  const sections = [...packages].sort().map((name) => {
    const folder = join(root, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = ['LICENSE', 'NOTICE'].map((file) => join(folder, file)).filter(existsSync);
    if (files.length === 0) throw new Error(`${name} comes without a licence text and cannot be bundled`);
    const texts = files.map((file) => readFileSync(file, 'utf8').trim());
    // Licences of one kind differ in who holds the copyright.
    const [, holder = '', terms = ''] = /^(.*?)^(Permission is .*)$/ms.exec(texts.join('\n\n')) ?? ['', '', ''];
    return { head: `${name} ${version} (${license})`, holder: holder.trim(), terms: terms || texts.join('\n\n') };
  });
  const byTerms = new Map<string, string[]>();
  for (const { head, holder, terms } of sections) {
    const own = [head, ...(holder === '' ? [] : [holder])].join('\n');
    byTerms.set(terms, [...(byTerms.get(terms) ?? []), own]);
  }
  const texts = [...byTerms].map(([terms, owners]) => `${owners.join('\n\n')}\n\n${terms}\n`);
  return `This contains these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
