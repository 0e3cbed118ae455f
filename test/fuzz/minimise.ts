/**
 * A smaller input with the same problem: pieces are left out, large ones first, then lines, then bytes, for as long as
 * the problem stays and `attempts` last.
 */
export async function minimised(
  bytes: Buffer,
  isStillThere: (candidate: Buffer) => Promise<boolean>,
  attempts: number,
): Promise<Buffer> {
  let best = bytes;
  let left = attempts;
  for (let size = Math.ceil(best.length / 2); size >= 1 && left > 0; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length && left > 0; ) {
      const candidate = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      left -= 1;
      if (candidate.length > 0 && (await isStillThere(candidate))) best = candidate;
      else at += size;
    }
  }
  return best;
}
