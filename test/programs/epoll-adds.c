// epoll-adds N [time]: adds one descriptor to an epoll instance and removes it again, N times.
// Every add inserts exactly one node into the instance's red-black tree. With `time` it says on stderr when the first
// add began and how long they took, in nanoseconds of CLOCK_MONOTONIC: the quickest of 20 batches, times 20, because
// whatever else the machine does makes some of them slow.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
  long adds = argc > 1 ? atol(argv[1]) : 1000;
  int epoll = epoll_create1(0);
  int watched = eventfd(0, 0);
  struct epoll_event event = {.events = EPOLLIN};
  if (epoll < 0 || watched < 0) return 1;
  long long start = now(), best = -1, last = start;
  long batch = adds / 20 + 1;
  for (long i = 0; i < adds; i++) {
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, watched, &event) != 0) return 2;
    if (epoll_ctl(epoll, EPOLL_CTL_DEL, watched, &event) != 0) return 3;
    if (argc > 2 && i % batch == batch - 1) {
      long long time = now() - last;
      if (best < 0 || time < best) best = time;
      last = now();
    }
  }
  if (argc > 2) fprintf(stderr, "EPOLL-ADDS %lld %lld\n", start, best * adds / batch);
  return 0;
}
