import CNetfilter
import Glibc
import Kernel
import SystemPackage

/// Opens a netlink socket in another network namespace: the calling thread goes there, opens it and comes back.
///
/// setns(2) is per thread, so no other thread notices. A thread made for each visit would do as well, and cost more than
/// everything else about it.
func openSocket(_ protocolNumber: CInt, in namespace: CInt) throws(KernelError) -> Descriptor {
  let home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
  guard home >= 0 else { throw KernelError("open", "/proc/thread-self/ns/net", errno: .last) }
  let way = Descriptor(adopting: home)
  guard setns(namespace, CLONE_NEWNET) == 0 else {
    throw KernelError("enter", "a network namespace", errno: .last)
  }
  let socket = socket(AF_NETLINK, CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue), protocolNumber)
  let refusal = Errno.last
  // A thread that cannot come back would do its next work in a stranger's network.
  guard setns(way.rawValue, CLONE_NEWNET) == 0 else { abort() }
  guard socket >= 0 else { throw KernelError("open", "a netlink socket", errno: refusal) }
  return Descriptor(adopting: socket)
}
