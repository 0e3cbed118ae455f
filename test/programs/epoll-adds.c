// epoll-adds N: adds one descriptor to an epoll instance and removes it again, N times.
// Every add inserts exactly one node into the instance's red-black tree.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

int main(int argc, char **argv) {
  long adds = argc > 1 ? atol(argv[1]) : 1000;
  int epoll = epoll_create1(0);
  int watched = eventfd(0, 0);
  struct epoll_event event = {.events = EPOLLIN};
  if (epoll < 0 || watched < 0) return 1;
  for (long i = 0; i < adds; i++) {
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, watched, &event) != 0) return 2;
    if (epoll_ctl(epoll, EPOLL_CTL_DEL, watched, &event) != 0) return 3;
  }
  return 0;
}
