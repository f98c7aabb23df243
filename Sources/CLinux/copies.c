#define _GNU_SOURCE
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "CLinux.h"

int stack_copy_file(int source, int target) {
  char buffer[65536];
  int copies_ranges = 1;
  for (;;) {
    ssize_t count = copies_ranges ? copy_file_range(source, NULL, target, NULL, 1 << 30, 0) : read(source, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && copies_ranges && (errno == EXDEV || errno == EOPNOTSUPP || errno == EINVAL)) {
      copies_ranges = 0;
      continue;
    }
    if (count <= 0) return (int)count;
    for (ssize_t written = 0; !copies_ranges && written < count;) {
      ssize_t more = write(target, buffer + written, (size_t)(count - written));
      if (more < 0 && errno != EINTR) return -1;
      if (more > 0) written += more;
    }
  }
}

int stack_copy_attributes(int source, int target) {
  char names[65536], value[65536];
  ssize_t length = flistxattr(source, names, sizeof names);
  if (length < 0) return errno == EOPNOTSUPP ? 0 : -1;
  for (char *name = names; name < names + length; name += strlen(name) + 1) {
    if (strncmp(name, "user.", 5) != 0 && strcmp(name, "security.capability") != 0) continue;
    ssize_t size = fgetxattr(source, name, value, sizeof value);
    if (size >= 0 && fsetxattr(target, name, value, (size_t)size, 0) != 0 && errno != EOPNOTSUPP) return -1;
  }
  return 0;
}

static const char filling[] = "trusted.stack.filling";

int stack_mark_filling(int folder, int is_filling) {
  if (is_filling) return fsetxattr(folder, filling, "", 0, 0);
  return fremovexattr(folder, filling);
}

int stack_is_filling(int folder) { return fgetxattr(folder, filling, NULL, 0) >= 0; }
