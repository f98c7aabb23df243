import CNetfilter
import Glibc
import Kernel
import SystemPackage

/// Calls `body` with the calling thread in another network namespace. Sockets that it opens belong to that namespace.
///
/// setns(2) changes only the calling thread. A new thread for each visit would cost more than the visit itself.
///
/// - Parameter namespace: a descriptor of the namespace, as /proc/PID/ns/net gives it.
/// - Throws: the error of open(2) or setns(2), or the error that `body` throws.
public func visiting<Value: ~Copyable>(
  _ namespace: borrowing Descriptor, _ body: () throws(KernelError) -> Value
) throws(KernelError) -> Value {
  let number = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
  guard number >= 0 else { throw KernelError("open", "/proc/thread-self/ns/net", errno: .last) }
  let home = Descriptor(adopting: number)
  guard setns(namespace.rawValue, CLONE_NEWNET) == 0 else {
    throw KernelError("enter", "a network namespace", errno: .last)
  }
  // A thread that cannot return would do its next work in the wrong namespace.
  defer { if setns(home.rawValue, CLONE_NEWNET) != 0 { abort() } }
  return try body()
}

/// Opens a netlink socket in another network namespace.
func openSocket(_ protocolNumber: CInt, in namespace: borrowing Descriptor) throws(KernelError) -> Descriptor {
  try visiting(namespace) { () throws(KernelError) in
    let socket = socket(AF_NETLINK, CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue), protocolNumber)
    guard socket >= 0 else { throw KernelError("open", "a netlink socket", errno: .last) }
    return Descriptor(adopting: socket)
  }
}
