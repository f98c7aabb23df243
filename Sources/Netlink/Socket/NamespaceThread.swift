import CNetfilter
import Glibc
import Kernel
import SystemPackage

/// What a thread is given, and leaves behind, in opening a socket in another namespace.
private struct Errand {
  let namespace: CInt
  let protocolNumber: CInt
  var socket: CInt = -1
  var errno: CInt = 0
  var entered = false
}

/// Opens a netlink socket in a namespace by way of a thread that lives only for this.
func openSocket(_ protocolNumber: CInt, in namespace: CInt) throws(KernelError) -> Descriptor {
  var errand = Errand(namespace: namespace, protocolNumber: protocolNumber)
  let started = withUnsafeMutablePointer(to: &errand) { pointer in
    var thread = pthread_t()
    let failure = pthread_create(&thread, nil, { runErrand($0) }, pointer)
    guard failure == 0 else { return failure }
    return pthread_join(thread, nil)
  }
  guard started == 0 else {
    throw KernelError("start a thread in", "a network namespace", errno: Errno(rawValue: started))
  }
  guard errand.entered else {
    throw KernelError("enter", "a network namespace", errno: Errno(rawValue: errand.errno))
  }
  guard errand.socket >= 0 else {
    throw KernelError("open", "a netlink socket", errno: Errno(rawValue: errand.errno))
  }
  return Descriptor(adopting: errand.socket)
}

private func runErrand(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let errand = context?.assumingMemoryBound(to: Errand.self) else { return nil }
  guard setns(errand.pointee.namespace, CLONE_NEWNET) == 0 else {
    errand.pointee.errno = Glibc.errno
    return nil
  }
  errand.pointee.entered = true
  errand.pointee.socket = socket(
    AF_NETLINK, CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue), errand.pointee.protocolNumber)
  errand.pointee.errno = Glibc.errno
  return nil
}
