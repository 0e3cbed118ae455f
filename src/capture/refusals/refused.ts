import { UserError } from '../../errors.ts';
import type { Refusal } from './reasons.ts';
import { hintOf, refusalText } from './words.ts';

/** Statuses that shells give such ends. */
const STATUS: Partial<Record<Refusal['code'], number>> = { 'no-command': 127, 'not-executable': 126 };

/** Something cannot be counted; nothing stays armed. */
export class Refused extends UserError {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal, options: { readonly cause?: unknown } = {}) {
    const hint = hintOf(refusal);
    super(refusalText(refusal), {
      ...options,
      exitStatus: STATUS[refusal.code] ?? 1,
      ...(hint !== undefined && { hint }),
    });
    this.refusal = refusal;
  }
}

/** Whether an error is a refusal for this reason. */
export function isRefused<C extends Refusal['code']>(
  error: unknown,
  code: C,
): error is Refused & { readonly refusal: Extract<Refusal, { readonly code: C }> } {
  return error instanceof Refused && error.refusal.code === code;
}
