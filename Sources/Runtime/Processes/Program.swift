import CLinux
import Glibc
import Isolation
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

  /// Makes the process. With shared memory the calling thread sleeps until the process has exec'd or is gone. Otherwise
  /// this returns at once.
  ///
  /// Throws EINVAL for memory that this process must not share.
  borrowing func spawn(
    _ memory: Memory = .copied, flags: UInt64 = 0, cgroup: FileDescriptor? = nil,
    pidNamespaceOf pidfd: FileDescriptor? = nil
  ) throws(KernelError) -> stack_spawned {
    var spawned = stack_spawned()
    try check("start", "a process") {
      operations.withUnsafeBufferPointer { list in
        var program = stack_program(
          clone_flags: flags, cgroup: cgroup?.rawValue ?? -1, pid_namespace_of: pidfd?.rawValue ?? -1,
          memory: memory.rawValue, operations: list.baseAddress, count: list.count)
        return stack_spawn(&program, &spawned)
      }
    }
    return spawned
  }

  // MARK: Namespaces

  /// Enters namespaces of the process behind a pidfd, or the one that a descriptor holds (setns(2)).
  ///
  /// - Parameter namespaces: ``CloneFlag`` of each.
  mutating func enter(
    _ namespaces: UInt64, of handle: Handle, for action: StaticString, _ subject: String
  ) {
    append(STACK_OP_SETNS, action, subject) { ($0.fd, $0.flags) = (handle.rawValue, namespaces) }
  }

  /// Makes namespaces (unshare(2)).
  mutating func unshare(
    _ namespaces: UInt64, for action: StaticString = "make", _ subject: String
  ) {
    append(STACK_OP_UNSHARE, action, subject) { $0.flags = namespaces }
  }

  mutating func setHostname(_ name: String) throws(KernelError) {
    let text = try text(name)
    append(STACK_OP_HOSTNAME, "set hostname", name) { $0.text = text }
  }

  mutating func setDomainname(_ name: String) throws(KernelError) {
    let text = try text(name)
    append(STACK_OP_DOMAINNAME, "set domainname", name) { $0.text = text }
  }

  // MARK: Files

  /// Opens a file or a folder, with O_CLOEXEC (openat(2)).
  ///
  /// - Parameter mode: the permissions of a file that O_CREAT makes.
  mutating func open(
    _ path: String, in folder: Handle = .currentFolder, _ flags: CInt, mode: mode_t = 0,
    for action: StaticString = "open", _ subject: String? = nil
  ) throws(KernelError) -> Handle {
    let (handle, slot) = newSlot()
    let text = try text(path)
    append(STACK_OP_OPEN, action, subject ?? path) {
      ($0.fd, $0.slot, $0.path) = (folder.rawValue, slot, text)
      ($0.flags, $0.number) = (UInt64(flags), UInt64(mode))
    }
    return handle
  }

  /// Opens a path below a folder as if that were the root, and makes what is missing: folders, and at the end a folder or
  /// an empty file.
  ///
  /// - Parameter rules: more of ``Resolve``.
  mutating func makeTarget(
    _ path: String, below root: Handle, isFile: Bool = false, rules: UInt64 = 0, for action: StaticString,
    _ subject: String
  ) throws(KernelError) -> Handle {
    let (handle, slot) = newSlot()
    let text = try text(path)
    append(STACK_OP_TARGET, action, subject) {
      ($0.fd, $0.slot, $0.path) = (root.rawValue, slot, text)
      ($0.flags, $0.number) = (rules, isFile ? 1 : 0)
    }
    return handle
  }

  /// Makes a folder that all may look into (mkdirat(2)).
  mutating func makeFolder(_ name: String, in folder: Handle, _ subject: String) throws(KernelError) {
    let text = try text(name)
    append(STACK_OP_MKDIR, "make", subject) { ($0.fd, $0.path, $0.number) = (folder.rawValue, text, 0o755) }
  }

  /// Makes a node (mknodat(2)).
  ///
  /// - Parameters:
  ///   - mode: type and permissions.
  ///   - device: as makedev(3) has it.
  mutating func makeNode(
    _ name: String, in folder: Handle, mode: UInt64, device: UInt64, _ subject: String
  ) throws(KernelError) {
    let text = try text(name)
    append(STACK_OP_MKNOD, "make", subject) {
      ($0.fd, $0.path) = (folder.rawValue, text)
      ($0.flags, $0.number) = (mode, device)
    }
  }

  /// Makes a symbolic link (symlinkat(2)).
  mutating func makeLink(
    _ name: String, in folder: Handle, to destination: String, _ subject: String
  ) throws(KernelError) {
    let (path, text) = (try text(name), try text(destination))
    append(STACK_OP_SYMLINK, "make", subject) { ($0.fd, $0.path, $0.text) = (folder.rawValue, path, text) }
  }

  /// Makes the folder at a path when it is missing, as far as the root of the process allows.
  mutating func makePath(_ path: String, for action: StaticString) throws(KernelError) {
    let text = try text(path)
    append(STACK_OP_MAKE_PATH, action, path) { $0.path = text }
  }

  /// Writes a text to the file at a path.
  mutating func write(
    _ content: String, to path: String, for action: StaticString, _ subject: String
  ) throws(KernelError) {
    let (path, text) = (try text(path), try text(content))
    append(STACK_OP_WRITE, action, subject) { ($0.path, $0.text) = (path, text) }
  }

  /// Makes a user the owner of what a descriptor holds (fchown(2)).
  mutating func give(_ handle: Handle, to user: UInt32, _ subject: String) {
    append(STACK_OP_CHOWN, "give to the container's user", subject) {
      ($0.fd, $0.number) = (handle.rawValue, UInt64(user))
    }
  }

  /// Makes files as this user and group from here on, with all the rights over files that the process had (setfsuid(2)).
  mutating func makeFiles(as identity: UInt32, _ subject: String) {
    append(STACK_OP_MAKE_FILES_AS, "make files as", subject) { $0.number = UInt64(identity) }
  }

  mutating func setUmask(_ mask: UInt16) {
    append(STACK_OP_UMASK, "set", "the umask") { $0.number = UInt64(mask) }
  }

  /// Enters a folder, and refuses one outside the root (chdir(2)).
  mutating func changeFolder(to path: String, for action: StaticString) throws(KernelError) {
    let text = try text(path)
    append(STACK_OP_CHDIR, action, path) { $0.path = text }
  }

  // MARK: Mounts

  /// Copies the mount of a path into a mount that is nowhere yet (open_tree(2)), with a propagation of ``MountFlag``.
  ///
  /// - Parameters:
  ///   - isRecursive: with the mounts below it.
  ///   - setting, clearing: ``MountAttribute`` of all of them.
  mutating func openTree(
    _ path: String, in folder: Handle = .currentFolder, isRecursive: Bool = false, setting: UInt64 = 0,
    clearing: UInt64 = 0, propagation: UInt64 = MountFlag.private, for action: StaticString, _ subject: String
  ) throws(KernelError) -> Handle {
    let (handle, slot) = newSlot()
    let text = try text(path)
    append(STACK_OP_OPEN_TREE, action, subject) {
      ($0.fd, $0.slot, $0.path) = (folder.rawValue, slot, text)
      $0.propagation = UInt32(truncatingIfNeeded: propagation)
      ($0.flags, $0.number, $0.clear) = (isRecursive ? At.recursive : 0, setting, clearing)
    }
    return handle
  }

  /// Gives a mount that is nowhere yet the ids of a user namespace (MOUNT_ATTR_IDMAP of mount_setattr(2)).
  ///
  /// - Parameter leavesUnmappable: whether a file system that cannot be mapped stays as it is, or is a failure.
  mutating func map(
    _ mount: Handle, to userNamespace: Handle, isRecursive: Bool, leavesUnmappable: Bool, for action: StaticString,
    _ subject: String
  ) {
    append(STACK_OP_MAP_MOUNT, action, subject) {
      ($0.fd, $0.fd2) = (mount.rawValue, userNamespace.rawValue)
      ($0.flags, $0.number) = (isRecursive ? At.recursive : 0, leavesUnmappable ? 1 : 0)
    }
  }

  /// Mounts what a descriptor holds on top of a place (move_mount(2)).
  mutating func move(
    _ mount: Handle, onto place: Handle, for action: StaticString, _ subject: String
  ) {
    append(STACK_OP_MOVE_MOUNT, action, subject) { ($0.fd, $0.fd2) = (mount.rawValue, place.rawValue) }
  }

  /// Makes a mount the root and the working directory of the process.
  mutating func enterRoot(_ mount: Handle, _ subject: String) {
    append(STACK_OP_ENTER_ROOT, "enter", subject) { $0.fd = mount.rawValue }
  }

  /// Mounts a file system, under the name of its type (mount(2)).
  ///
  /// - Parameter flags: of ``MountFlag``.
  mutating func mount(
    _ type: String, options: String?, on place: Handle, flags: UInt64, _ subject: String
  ) throws(KernelError) {
    let type = try text(type)
    let options: UnsafePointer<CChar>? = if let options { try text(options) } else { nil }
    append(STACK_OP_MOUNT, "mount", subject) {
      ($0.fd, $0.text, $0.flags, $0.data) = (place.rawValue, type, flags, UnsafeRawPointer(options))
    }
  }

  /// Sets attributes of a mount (mount_setattr(2)).
  ///
  /// - Parameters:
  ///   - attributes: of ``MountAttribute``.
  ///   - propagation: of ``MountFlag``, or 0.
  mutating func setMount(
    _ mount: Handle, _ attributes: UInt64 = 0, propagation: UInt64 = 0, isRecursive: Bool = false,
    for action: StaticString, _ subject: String
  ) {
    append(STACK_OP_MOUNT_SETATTR, action, subject) {
      ($0.fd, $0.flags, $0.number) = (mount.rawValue, isRecursive ? At.recursive : 0, attributes)
      $0.propagation = UInt32(truncatingIfNeeded: propagation)
    }
  }

  /// Makes a mount the root of the mount namespace, and lets go of the former one (pivot_root(2)).
  mutating func pivotRoot(onto mount: Handle, for action: StaticString, _ subject: String) {
    append(STACK_OP_PIVOT_ROOT, action, subject) { $0.fd = mount.rawValue }
  }

  /// Hides a path, if it is there.
  ///
  /// - Parameter masks: a folder with an empty folder `empty` and a device `null`.
  mutating func mask(
    _ path: String, below folder: Handle, with masks: Handle, _ subject: String
  ) throws(KernelError) {
    let text = try text(path)
    append(STACK_OP_MASK, "mask", subject) {
      ($0.fd, $0.fd2, $0.path) = (folder.rawValue, masks.rawValue, text)
    }
  }

  /// Makes a path and all under it read-only, if it is there.
  mutating func makeReadOnly(_ path: String, below folder: Handle, _ subject: String) throws(KernelError) {
    let text = try text(path)
    append(STACK_OP_READ_ONLY, "make read-only", subject) { ($0.fd, $0.path) = (folder.rawValue, text) }
  }

  // MARK: Descriptors

  /// Closes every slot with the rest: no handle may be used after it.
  mutating func arrange(_ descriptors: Descriptors) {
    var table = [CInt](repeating: CInt(STACK_NO_DESCRIPTOR), count: Int(STACK_FD_COUNT))
    table[0] = descriptors.input.rawValue
    table[1] = descriptors.output.rawValue
    table[2] = descriptors.error.rawValue
    table[Int(STACK_FD_RECORD)] = descriptors.record.rawValue
    table[Int(STACK_FD_TERMINAL)] = descriptors.terminal.rawValue
    table[Int(STACK_FD_PROGRAM)] = descriptors.program.rawValue
    let data = values(table)
    append(STACK_OP_DESCRIPTORS, "arrange", "descriptors") { $0.data = data }
  }

  /// Makes a terminal of the devpts in a folder.
  ///
  /// - Parameter size: rows << 16 | columns; 0 leaves it to the kernel.
  mutating func openTerminal(
    in folder: Handle, size: UInt64 = 0
  ) throws(KernelError) -> (master: Handle, peer: Handle) {
    let (master, masterSlot) = newSlot()
    let (peer, peerSlot) = newSlot()
    let text = try text("ptmx")
    append(STACK_OP_TERMINAL, "open", "a terminal") {
      ($0.fd, $0.slot, $0.slot2) = (folder.rawValue, masterSlot, peerSlot)
      ($0.number, $0.path) = (size, text)
    }
    return (master, peer)
  }

  /// Hands a descriptor over to the caller.
  mutating func send(
    _ handle: Handle, as mark: Report.Mark, for action: StaticString = "hand over", _ subject: String
  ) {
    append(STACK_OP_SEND, action, subject) { ($0.fd, $0.number) = (handle.rawValue, UInt64(mark.rawValue)) }
  }

  // MARK: The process

  mutating func startSession() {
    append(STACK_OP_SETSID, "start", "a session") { _ in }
  }

  /// Makes descriptor 0 the controlling terminal.
  mutating func takeTerminal() {
    append(STACK_OP_CONTROLLING_TERMINAL, "take", "the terminal") { _ in }
  }

  /// Sets a limit (setrlimit(2)).
  ///
  /// - Parameter kind: RLIMIT_….
  mutating func setLimit(
    _ kind: UInt64, _ limit: rlimit, for action: StaticString, _ subject: String
  ) {
    let data = values([limit])
    append(STACK_OP_LIMIT, action, subject) { ($0.flags, $0.data) = (kind, data) }
  }

  mutating func setGroups(_ groups: [UInt32]) {
    let data = values(groups)
    append(STACK_OP_SETGROUPS, "set", "supplementary groups") { ($0.number, $0.data) = (UInt64(groups.count), data) }
  }

  mutating func setGroup(_ group: UInt32) {
    append(STACK_OP_SETGID, "become", "group \(group)") { $0.number = UInt64(group) }
  }

  mutating func setUser(_ user: UInt32) {
    append(STACK_OP_SETUID, "become", "user \(user)") { $0.number = UInt64(user) }
  }

  /// Switches on an attribute of the process (prctl(2)).
  ///
  /// - Parameter option: of ``ProcessControl``.
  mutating func switchOn(_ option: UInt64, for action: StaticString, _ subject: String) {
    append(STACK_OP_PRCTL, action, subject) { ($0.flags, $0.number) = (option, 1) }
  }

  /// Has the process killed when the thread that made it ends (prctl(2)).
  mutating func endWithCaller() {
    append(STACK_OP_PRCTL, "tie to its caller", "the process") {
      ($0.flags, $0.number) = (ProcessControl.setParentDeathSignal, UInt64(SIGKILL))
    }
  }

  /// Takes all other capabilities off the bounding set.
  mutating func limitCapabilities(to set: CapabilitySet) {
    append(STACK_OP_BOUNDING_SET, "limit", "the capabilities") { $0.number = set.rawValue }
  }

  /// Sets the capabilities, as far as the process has them.
  ///
  /// - Parameters:
  ///   - set: permitted and effective.
  ///   - ambient: inheritable and ambient.
  mutating func setCapabilities(_ set: CapabilitySet, ambient: CapabilitySet) {
    append(STACK_OP_CAPABILITIES, "set", "the capabilities") {
      ($0.number, $0.flags) = (set.rawValue, ambient.rawValue)
    }
  }

  /// Installs a seccomp filter. Takes no_new_privs or CAP_SYS_ADMIN (seccomp(2)).
  mutating func install(_ filter: SeccompFilter) {
    let data = values(filter.instructions)
    append(STACK_OP_SECCOMP, "install", "the seccomp filter") {
      ($0.number, $0.data) = (UInt64(filter.instructions.count / 8), data)
    }
  }

  // MARK: The end

  /// Executes the first of some files that is there, as execvp(3) does.
  mutating func execute(
    _ arguments: [String], environment: [String], candidates: [String], _ subject: String
  ) throws(KernelError) {
    let data = try command(arguments, environment, candidates)
    append(STACK_OP_EXEC, "execute", subject) { $0.data = data }
  }

  /// Executes ``Descriptors/program`` (execveat(2)).
  ///
  /// - Parameter keepsReport: whether the report stays open across it, for the program to use.
  mutating func executeDescriptor(
    _ arguments: [String], environment: [String], keepsReport: Bool = false, _ subject: String
  ) throws(KernelError) {
    let data = try command(arguments, environment, [])
    append(STACK_OP_EXEC_DESCRIPTOR, "execute", subject) { ($0.number, $0.data) = (keepsReport ? 1 : 0, data) }
  }

  mutating func exit(for action: StaticString, _ subject: String) {
    append(STACK_OP_EXIT, action, subject) { $0.number = 0 }
  }

  // MARK: Memory

  private mutating func append(
    _ kind: stack_operation_kind, _ action: StaticString, _ subject: String, _ fill: (inout stack_operation) -> Void
  ) {
    var operation = stack_operation()
    operation.kind = kind.rawValue
    (operation.fd, operation.fd2) = (Handle.none.rawValue, Handle.none.rawValue)
    fill(&operation)
    operations.append(operation)
    purposes.append((action, subject))
  }

  private mutating func newSlot() -> (handle: Handle, slot: UInt32) {
    defer { slots += 1 }
    return (Handle(rawValue: CInt(STACK_SLOT_BASE) - slots), UInt32(slots))
  }

  /// A C string that lives as long as the program. A NUL inside throws EINVAL: the kernel would read half of it.
  private mutating func text(_ text: String) throws(KernelError) -> UnsafePointer<CChar> {
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
    return UnsafePointer(copy)
  }

  private mutating func texts(
    _ texts: [String]
  ) throws(KernelError) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: texts.count + 1)
    list.initialize(repeating: nil, count: texts.count + 1)
    memory.append(UnsafeMutableRawPointer(list))
    for (index, entry) in texts.enumerated() { list[index] = UnsafeMutablePointer(mutating: try text(entry)) }
    return list
  }

  private mutating func values<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeRawPointer {
    let list = UnsafeMutablePointer<Value>.allocate(capacity: max(values.count, 1))
    list.initialize(from: values, count: values.count)
    memory.append(UnsafeMutableRawPointer(list))
    return UnsafeRawPointer(list)
  }

  private mutating func command(
    _ arguments: [String], _ environment: [String], _ candidates: [String]
  ) throws(KernelError) -> UnsafeRawPointer {
    let command = stack_command(
      argv: try texts(arguments), envp: try texts(environment), candidates: try texts(candidates))
    return values([command])
  }
}
