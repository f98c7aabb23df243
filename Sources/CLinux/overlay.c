#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "CLinux.h"

struct overlay {
  int folder;
  const char *target;
  const char *options;
  int error;
};

/// A thread has a working folder of its own once it has left its process's (CLONE_FS in unshare(2)).
static void *mount_overlay(void *argument) {
  struct overlay *overlay = argument;
  overlay->error = 0;
  if (unshare(CLONE_FS) != 0 || fchdir(overlay->folder) != 0 ||
      mount("overlay", overlay->target, "overlay", 0, overlay->options) != 0) {
    overlay->error = errno;
  }
  return NULL;
}

int stack_mount_overlay(int folder, const char *target, const char *options) {
  struct overlay overlay = {folder, target, options, 0};
  pthread_t thread;
  int code = pthread_create(&thread, NULL, mount_overlay, &overlay);
  if (code == 0) {
    pthread_join(thread, NULL);
    code = overlay.error;
  }
  errno = code;
  return code == 0 ? 0 : -1;
}
