#define _GNU_SOURCE
#include "CLinux.h"

#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

int stack_share_by_source(int socket, uint32_t shares, uint32_t source) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + source),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, shares - 1),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  return setsockopt(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program);
}

int stack_receive_datagrams(int socket, uint8_t *memory, uint32_t size, struct stack_datagram *batch, unsigned count) {
  struct mmsghdr messages[STACK_DATAGRAMS];
  struct iovec parts[STACK_DATAGRAMS];
  if (count > STACK_DATAGRAMS) count = STACK_DATAGRAMS;
  memset(messages, 0, sizeof messages[0] * count);
  for (unsigned i = 0; i < count; i++) {
    parts[i] = (struct iovec){memory + (size_t)i * size, size};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = batch[i].peer;
    messages[i].msg_hdr.msg_namelen = sizeof batch[i].peer;
  }
  int received = recvmmsg(socket, messages, count, MSG_DONTWAIT, NULL);
  for (int i = 0; i < received; i++) {
    batch[i].offset = (uint32_t)i * size;
    batch[i].length = messages[i].msg_hdr.msg_flags & MSG_TRUNC ? 0 : messages[i].msg_len;
    batch[i].peer_length = messages[i].msg_hdr.msg_namelen;
  }
  return received;
}

void stack_send_datagrams(int socket, const uint8_t *memory, const struct stack_datagram *batch, unsigned count) {
  struct mmsghdr messages[STACK_DATAGRAMS];
  struct iovec parts[STACK_DATAGRAMS];
  unsigned filled = 0;
  if (count > STACK_DATAGRAMS) count = STACK_DATAGRAMS;
  memset(messages, 0, sizeof messages[0] * count);
  for (unsigned i = 0; i < count; i++) {
    if (batch[i].length == 0) continue;
    parts[filled] = (struct iovec){(void *)(memory + batch[i].offset), batch[i].length};
    messages[filled].msg_hdr.msg_iov = &parts[filled];
    messages[filled].msg_hdr.msg_iovlen = 1;
    messages[filled].msg_hdr.msg_name = (void *)batch[i].peer;
    messages[filled].msg_hdr.msg_namelen = batch[i].peer_length;
    filled++;
  }
  unsigned done = 0;
  while (done < filled) {
    int sent = sendmmsg(socket, messages + done, filled - done, MSG_DONTWAIT | MSG_NOSIGNAL);
    // The error is that of the first: the others may still be on their way.
    done += sent > 0 ? (unsigned)sent : errno == EINTR ? 0 : 1;
  }
}
