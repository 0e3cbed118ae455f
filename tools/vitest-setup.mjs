// Tests read the compiled atlas and start bin/whocalls: both must match the sources.
import { ensureReady } from './setup.cjs';

export const setup = ensureReady;
