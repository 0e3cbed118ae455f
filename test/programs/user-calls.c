// user-calls N: calls `work` 3 N times from `often` and N times from `seldom`, the latter half of the time through
// `between`; then `recurse`, a function that calls itself, N deep, once; and malloc(3) N times from `often`'s work.
// A child made by fork(2), which runs no other program, does N more from `seldom`.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

volatile long sum;

__attribute__((noinline)) void work(long n) { sum += n; }

__attribute__((noinline)) void often(long n) {
  for (int i = 0; i < 3; i++) {
    work(n);
    sum++;
  }
}

__attribute__((noinline)) void seldom(long n) {
  work(n);
  sum++;
}

__attribute__((noinline)) void between(long n) {
  seldom(n);
  sum++;
}

__attribute__((noinline)) void recurse(long depth) {
  if (depth > 1) recurse(depth - 1);
  sum++;
}

int main(int argc, char **argv) {
  long n = argc > 1 ? atol(argv[1]) : 100;
  for (long i = 0; i < n; i++) {
    often(i);
    if (i % 2) seldom(i);
    else between(i);
    free(malloc(i + 1));
  }
  recurse(n);
  pid_t child = fork();
  if (child == 0) {
    for (long i = 0; i < n; i++) seldom(i);
    _exit(0);
  }
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child) return 1;
  return WEXITSTATUS(status);
}
