#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

ssize_t images_attributes(int file, char *names, size_t size) { return flistxattr(file, names, size); }

unsigned images_major(dev_t device) { return major(device); }
unsigned images_minor(dev_t device) { return minor(device); }

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

void images_begin_writing(int file) { sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE); }

int images_sync(int file) { return syncfs(file); }

union descriptor_space {
  struct cmsghdr header;
  char space[CMSG_SPACE(sizeof(int))];
};

int images_send_descriptor(int socket, int descriptor) {
  char byte = 0;
  struct iovec part = {&byte, 1};
  union descriptor_space control = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof descriptor);
  memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
  ssize_t count;
  while ((count = sendmsg(socket, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR) continue;
  return count == 1 ? 0 : -1;
}

int images_receive_descriptor(int socket) {
  char byte;
  struct iovec part = {&byte, 1};
  union descriptor_space control = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t count;
  while ((count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) continue;
  struct cmsghdr *header = count == 1 ? CMSG_FIRSTHDR(&message) : NULL;
  if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return -1;
  int descriptor;
  memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return descriptor;
}

int images_send_pieces(int socket, const void *first, size_t first_count, const void *second, size_t second_count) {
  struct iovec parts[2] = {{(void *)first, first_count}, {(void *)second, second_count}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  while (message.msg_iovlen > 0) {
    ssize_t count = sendmsg(socket, &message, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    while (message.msg_iovlen > 0 && (size_t)count >= message.msg_iov->iov_len) {
      count -= (ssize_t)message.msg_iov->iov_len;
      message.msg_iov++;
      message.msg_iovlen--;
    }
    if (message.msg_iovlen > 0) {
      message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + count;
      message.msg_iov->iov_len -= (size_t)count;
    }
  }
  return 0;
}

int images_is_hung_up(int socket) {
  struct pollfd entry = {.fd = socket, .events = POLLRDHUP};
  return poll(&entry, 1, 0) > 0 && entry.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL) ? 1 : 0;
}
