// Every view, by the name it has in the address. A view is one line here; the one that compares is only on pages with
// several censuses (with-compare.ts).
import type { FunctionComponent } from 'preact';
import type { ViewName } from '../app/state.ts';
import type { ViewProps } from '../page.ts';
import { Functions } from './functions.tsx';
import { OnlyOne } from './only-one.tsx';
import { Overview } from './overview.tsx';
import { Paths } from './paths.tsx';
import { Time } from './time.tsx';

export const VIEW_COMPONENTS: Partial<Record<ViewName, FunctionComponent<ViewProps>>> = {
  overview: Overview,
  paths: Paths,
  functions: Functions,
  time: Time,
  compare: OnlyOne,
};
