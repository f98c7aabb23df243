#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "CImages.h"

int images_set_attribute(int file, const char *name, const void *value, size_t size) {
  return fsetxattr(file, name, value, size, 0);
}

ssize_t images_attribute(int file, const char *name, void *value, size_t size) {
  return fgetxattr(file, name, value, size);
}

int images_copy(int source, int target) {
  for (;;) {
    ssize_t count = copy_file_range(source, NULL, target, NULL, 1 << 30, 0);
    if (count == 0) return 0;
    if (count < 0 && errno != EINTR) return -1;
  }
}

int images_make_device(int folder, const char *name, mode_t mode, unsigned major, unsigned minor) {
  return mknodat(folder, name, mode, makedev(major, minor));
}

int images_set_time(int folder, const char *name, int64_t seconds, long nanoseconds) {
  struct timespec times[2] = {{0, UTIME_OMIT}, {seconds, nanoseconds}};
  return utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW);
}

int images_set_time_of(int file, int64_t seconds, long nanoseconds) {
  struct timespec times[2] = {{0, UTIME_OMIT}, {seconds, nanoseconds}};
  return futimens(file, times);
}

int images_space(int file, struct images_room *room) {
  struct statfs status;
  if (fstatfs(file, &status) != 0) return -1;
  uint64_t block = status.f_bsize > 0 ? (uint64_t)status.f_bsize : 1;
  *room = (struct images_room){status.f_blocks * block, status.f_bavail * block, status.f_files, status.f_ffree};
  return 0;
}

int images_rename_to_new(const char *from, const char *to) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int images_sync(int file) { return syncfs(file); }
