// Many datagrams by one system call (recvmmsg(2), sendmmsg(2)), which Swift's Glibc module leaves out.
#pragma once
#include <stdint.h>

/// The most that one call moves.
#define STACK_DATAGRAMS 32

struct stack_datagram {
  /// Its offset in the memory that all datagrams of a batch share.
  uint32_t offset;
  /// 0 for one that was longer than its part of the memory, or is not to be sent.
  uint32_t length;
  /// From whom, or to whom: a sockaddr_in or sockaddr_in6 of so many octets.
  uint32_t peer_length;
  uint8_t peer[28];
};

/// Has the kernel choose among the sockets that are bound to one UDP port with SO_REUSEPORT by the low bits of a datagram's source
/// address. `shares`, how many sockets they are, is a power of two; `source` is where those bits stand in the IP header: 12 or 20.
int stack_share_by_source(int socket, uint32_t shares, uint32_t source);

/// Receives up to `count` datagrams without waiting, each into `size` octets of `memory`: how many came; -1 and errno.
int stack_receive_datagrams(int socket, uint8_t *memory, uint32_t size, struct stack_datagram *batch, unsigned count);
/// Sends those of a batch that have a length, without waiting. One that cannot be sent is dropped, as one is on its way.
void stack_send_datagrams(int socket, const uint8_t *memory, const struct stack_datagram *batch, unsigned count);
