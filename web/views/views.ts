// Every view, by the name it has in the address. A view is one line here.
import type { FunctionComponent } from 'preact';
import type { ViewName } from '../app/state.ts';
import type { ViewProps } from '../page.ts';
import { Functions } from './functions.tsx';
import { Overview } from './overview.tsx';
import { Paths } from './paths.tsx';
import { Time } from './time.tsx';

export const VIEW_COMPONENTS: Readonly<Partial<Record<ViewName, FunctionComponent<ViewProps>>>> = {
  overview: Overview,
  paths: Paths,
  functions: Functions,
  time: Time,
};
