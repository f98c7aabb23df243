#define _GNU_SOURCE
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "CLinux.h"

enum { piece = 1 << 18 };

/// Copies up to `length` octets from where both stand, or up to the end. 0, or -1.
static int copy_octets(int source, int target, off_t length, int *shares_blocks) {
  char buffer[piece];
  while (length > 0) {
    size_t wanted = length < piece ? (size_t)length : piece;
    ssize_t count = *shares_blocks ? copy_file_range(source, NULL, target, NULL, (size_t)length, 0) : read(source, buffer, wanted);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && *shares_blocks && (errno == EXDEV || errno == EOPNOTSUPP || errno == EINVAL)) {
      *shares_blocks = 0;
      continue;
    }
    if (count <= 0) return (int)count;
    for (ssize_t written = 0; !*shares_blocks && written < count;) {
      ssize_t more = write(target, buffer + written, (size_t)(count - written));
      if (more < 0 && errno != EINTR) return -1;
      if (more > 0) written += more;
    }
    length -= count;
  }
  return 0;
}

/// Copies the parts that have data, and leaves the holes between them. 0, or -1; 1 where holes cannot be told.
static int copy_parts(int source, int target, off_t size, int *shares_blocks) {
  for (off_t place = 0;;) {
    off_t start = lseek(source, place, SEEK_DATA);
    // All that follows is a hole.
    if (start < 0 && errno == ENXIO) return ftruncate(target, size);
    if (start < 0) return errno == EINVAL && place == 0 ? 1 : -1;
    off_t end = lseek(source, start, SEEK_HOLE);
    if (end < 0 || lseek(source, start, SEEK_SET) < 0 || lseek(target, start, SEEK_SET) < 0) return -1;
    if (copy_octets(source, target, end - start, shares_blocks) != 0) return -1;
    place = end;
  }
}

int stack_copy_file(int source, int target, int *shares_blocks) {
  struct stat status;
  if (fstat(source, &status) != 0) return -1;
  if (status.st_size / 512 > status.st_blocks) {
    int result = copy_parts(source, target, status.st_size, shares_blocks);
    if (result <= 0) return result;
    if (lseek(source, 0, SEEK_SET) < 0) return -1;
  }
  // A file of the kernel's has no size.
  off_t length = status.st_size > 0 ? status.st_size : (off_t)1 << 62;
  return copy_octets(source, target, length, shares_blocks);
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
