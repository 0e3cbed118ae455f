import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { GROUPINGS } from '../census/dimensions.ts';
import { parseWhere } from '../census/where.ts';
import { htmlPage, type PageInput } from '../report/html.ts';
import { buildReport } from '../report/report.ts';
import { version } from '../version.ts';
import { newCommand } from './command.ts';
import { showPage } from './page-server.ts';
import { addInputOptions, type InputOptions, readFiles, tellUnreadable } from './read.ts';
import { port } from './values.ts';

interface ViewOptions extends InputOptions {
  readonly by: string;
  readonly where?: string;
  readonly open: boolean;
  readonly port: number;
}

/** `whocalls view FILE…` */
export function command(): Command {
  const view = newCommand('view')
    .description(
      'Look at censuses or other stack data in the browser: a page that is served to this machine only, until Ctrl-C.\n' +
        'Several files, or directories, stand side by side and are compared; what is in one directory is counted together.\n' +
        "To keep or pass on the page, write it into a file: 'whocalls read FILE -o page.html'.",
    )
    .argument('<file...>', 'recordings')
    .addOption(new Option('--by <what>', 'begin with calls counted together by').choices(GROUPINGS).default('site'))
    .option('--where <expression>', 'begin with only calls like this: comm=db_bench && frame~ext4_')
    .option('--no-open', 'do not start a browser')
    .option('--port <n>', 'serve on this port (default: any that is free)', port, 0);
  return addInputOptions(view).action(async (files: string[], options: ViewOptions) => {
    const { by, where = '' } = options;
    if (where !== '') parseWhere(where);
    const inputs: PageInput[] = [];
    for (const file of files) {
      const input = await readFiles([file], options);
      tellUnreadable(input);
      inputs.push({ name: basename(file), report: buildReport(input.census, { by, where }, input) });
    }
    await showPage(htmlPage(inputs, version()), options);
  });
}
