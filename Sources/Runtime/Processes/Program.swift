import CLinux
import Glibc
import Kernel
import SystemPackage

/// The operations of a new process between clone3 and exec: a flat list with every string and descriptor ready. C code
/// runs it, which makes system calls and nothing else (`CLinuxProgram.h`).
struct Program: ~Copyable {
  /// A descriptor as an operation names it: the parent's own, or one that the child opens.
  struct Handle: Equatable {
    let rawValue: CInt

    static let none = Handle(rawValue: -1)
    static let currentFolder = Handle(rawValue: AT_FDCWD)

    init(rawValue: CInt) {
      self.rawValue = rawValue
    }

    init(_ descriptor: FileDescriptor) {
      self.init(rawValue: descriptor.rawValue)
    }
  }

  /// The purpose of each operation, in the words of the error when it fails.
  private(set) var purposes: [(action: StaticString, subject: String)] = []
  private var operations: [stack_operation] = []
  private var memory: [UnsafeMutableRawPointer] = []
  private var slots: CInt = 0

  init() {
    operations.reserveCapacity(80)
    purposes.reserveCapacity(80)
    memory.reserveCapacity(80)
  }

  deinit {
    for piece in memory { piece.deallocate() }
  }

  /// Makes the process. With `sharesMemory` the calling thread sleeps until the process has exec'd or is gone, and nobody may
  /// be able to trace the process who cannot trace the caller (`CLinuxProgram.h`); otherwise it has a copy of the memory, and
  /// this returns at once.
  borrowing func spawn(
    flags: UInt64 = 0, cgroup: FileDescriptor? = nil, pidNamespaceOf pidfd: FileDescriptor? = nil,
    sharesMemory: Bool = false
  ) throws(KernelError) -> stack_spawned {
    var spawned = stack_spawned()
    try check("start", "a process") {
      operations.withUnsafeBufferPointer { list in
        var program = stack_program(
          clone_flags: flags, cgroup: cgroup?.rawValue ?? -1, pid_namespace_of: pidfd?.rawValue ?? -1,
          share_memory: sharesMemory ? 1 : 0, operations: list.baseAddress, count: list.count)
        return stack_spawn(&program, &spawned)
      }
    }
    return spawned
  }

  // MARK: Building

  mutating func newSlot() -> (handle: Handle, slot: UInt32) {
    defer { slots += 1 }
    return (Handle(rawValue: -1000 - slots), UInt32(slots))
  }

  mutating func add(
    _ kind: stack_operation_kind, for action: StaticString, _ subject: String,
    _ handle: Handle = .none, onto other: Handle = .none, slot: UInt32 = 0, slot2: UInt32 = 0,
    flags: UInt64 = 0, number: UInt64 = 0, clear: UInt64 = 0, propagation: UInt64 = 0, path: String? = nil,
    text: String? = nil,
    data: UnsafeRawPointer? = nil
  ) throws(KernelError) {
    var operation = stack_operation()
    operation.kind = kind.rawValue
    operation.fd = handle.rawValue
    operation.fd2 = other.rawValue
    operation.slot = slot
    operation.slot2 = slot2
    operation.flags = flags
    operation.number = number
    operation.clear = clear
    operation.propagation = UInt32(truncatingIfNeeded: propagation)
    if let path { operation.path = UnsafePointer(try string(path)) }
    if let text { operation.text = UnsafePointer(try string(text)) }
    operation.data = data
    operations.append(operation)
    purposes.append((action, subject))
  }

  /// A C string that lives as long as the program. A NUL inside throws EINVAL: the kernel would read half of it.
  mutating func string(_ text: String) throws(KernelError) -> UnsafeMutablePointer<CChar> {
    var text = text
    let copy: UnsafeMutablePointer<CChar>? = text.withUTF8 { bytes in
      if bytes.contains(0) { return nil }
      let room = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
      bytes.withMemoryRebound(to: CChar.self) { source in
        if let start = source.baseAddress { room.initialize(from: start, count: source.count) }
      }
      room[bytes.count] = 0
      return room
    }
    guard let copy else { throw KernelError("use", "a text with a NUL byte in it", errno: .invalidArgument) }
    memory.append(UnsafeMutableRawPointer(copy))
    return copy
  }

  mutating func strings(_ texts: [String]) throws(KernelError) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: texts.count + 1)
    list.initialize(repeating: nil, count: texts.count + 1)
    memory.append(UnsafeMutableRawPointer(list))
    for (index, text) in texts.enumerated() { list[index] = try string(text) }
    return list
  }

  mutating func values<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeRawPointer {
    let list = UnsafeMutablePointer<Value>.allocate(capacity: max(values.count, 1))
    list.initialize(from: values, count: values.count)
    memory.append(UnsafeMutableRawPointer(list))
    return UnsafeRawPointer(list)
  }

  mutating func command(
    argv: [String], env: [String], candidates: [String] = []
  ) throws(KernelError) -> UnsafeRawPointer {
    let command = stack_command(
      argv: try strings(argv), envp: try strings(env), candidates: try strings(candidates))
    return values([command])
  }
}
