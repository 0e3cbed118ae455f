import { Compare } from './compare.tsx';
import { VIEW_COMPONENTS } from './views.ts';

VIEW_COMPONENTS.compare = Compare;
