// Uses whocalls as a library: node library.mjs RECORDING
import { readFile, report, write } from 'whocalls';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node library.mjs RECORDING');

// 1. Any recording becomes a census: who called what, how often, and what is missing.
const { census, format, diagnostics } = await readFile(file);
console.log(`${format}: ${census.total} calls, ${census.lost} lost, ${diagnostics.skippedLines} lines skipped`);

// 2. A report groups its calls and explains the groups.
const bySubsystem = report(census, { by: 'subsystem', where: '!entry~unknown', top: 3 });
for (const { rank, label, count, explanation } of bySubsystem.groups) {
  console.log(`${rank ?? ' '} ${count} ${label}: ${explanation?.text ?? ''}`);
}

// 3. It is written in any format; text for people, JSON for programs, pprof to keep.
const json = JSON.parse(await write(bySubsystem, 'json'));
console.log(json.schema, json.groups.length);
const profile = await write(report(census), 'pprof');
console.log(`${profile.length} bytes of pprof`);
