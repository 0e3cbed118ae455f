import type { Census } from '../census/census.ts';
import { UserError } from '../errors.ts';
import type { KernelImage } from '../image/kernel-image.ts';

/**
 * Checks that a recording can be of a kernel image: by build id where the recording has one, else by release.
 *
 * @throws {UserError} it is of another kernel
 */
export function checkSameKernel({ facts }: Census, image: KernelImage): void {
  const { kernels, buildIds } = facts;
  const otherBuild = buildIds.find((id) => id !== image.buildId);
  if (otherBuild !== undefined && image.buildId !== '') {
    throw new UserError(
      `the recording was taken on another build of the kernel (${otherBuild.slice(0, 12)}) than ${image.path} (${image.buildId.slice(0, 12)}); name the image it was taken on with --kernel`,
    );
  }
  const other = kernels.find((release) => release !== image.release);
  if (buildIds.length === 0 && other !== undefined && image.release !== '') {
    throw new UserError(
      `the recording was taken on Linux ${other}, ${image.path} is ${image.release}; name the image it was taken on with --kernel`,
    );
  }
}
