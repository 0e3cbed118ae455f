// many-stacks N: adds one epoll entry from each of N different stacks. The path to the call spells the bits of its number.
// Built without optimisation and with frame pointers, so that every step is a frame.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int epoll, watched;
static void descend(long number, int depth);

static void zero(long number, int depth) { descend(number, depth); }
static void one(long number, int depth) { descend(number, depth); }

static void descend(long number, int depth) {
  struct epoll_event event = {.events = EPOLLIN};
  if (depth > 0) {
    if (number & 1) one(number >> 1, depth - 1);
    else zero(number >> 1, depth - 1);
    return;
  }
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, watched, &event) != 0) exit(2);
  if (epoll_ctl(epoll, EPOLL_CTL_DEL, watched, &event) != 0) exit(3);
}

int main(int argc, char **argv) {
  long stacks = argc > 1 ? atol(argv[1]) : 1000;
  epoll = epoll_create1(0);
  watched = eventfd(0, 0);
  if (epoll < 0 || watched < 0) return 1;
  for (long i = 0; i < stacks; i++) descend(i, 16);
  return 0;
}
