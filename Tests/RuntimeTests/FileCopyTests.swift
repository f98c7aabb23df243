import CLinux
import Glibc
import Testing
@testable import Kernel
@testable import Runtime

/// A file's contents as a copy has them, holes included.
@Suite struct FileCopyTests {
  private let root: BusyboxRoot

  init() throws {
    root = try BusyboxRoot()
  }

  /// Copies a file that has so many bytes, and some at places of its own.
  private func copy(_ size: Int, data: [(place: Int, byte: UInt8)], sharesBlocks: CInt) throws -> (stat, stat, [UInt8])
  {
    let (source, target) = ("\(root.folder)/source", "\(root.folder)/target")
    let from = Descriptor(
      adopting: try check("make", source) { open(source, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600) })
    let to = Descriptor(
      adopting: try check("make", target) { open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600) })
    try check("cut", source) { ftruncate(from.rawValue, size) }
    for (place, byte) in data {
      let bytes = [UInt8](repeating: byte, count: 4096)
      try #require(pwrite(from.rawValue, bytes, bytes.count, place) == bytes.count)
    }
    var shares = sharesBlocks
    try check("copy to", target) { stack_copy_file(from.rawValue, to.rawValue, &shares) }
    var (one, other) = (stat(), stat())
    fstat(from.rawValue, &one)
    fstat(to.rawValue, &other)
    return (one, other, try Files.read(target, limit: 1 << 30) ?? [])
  }

  @Test(arguments: [CInt(1), 0])
  func holesStayHoles(_ sharesBlocks: CInt) throws {
    let size = 64 << 20
    let data = [(1 << 20, UInt8(1)), (size - 4096, UInt8(2))]
    for (parts, length) in [(data, size), ([], size), (Array(data.prefix(1)), size + 77)] {
      let (from, to, bytes) = try copy(length, data: parts, sharesBlocks: sharesBlocks)
      #expect(bytes.count == length && to.st_size == from.st_size)
      #expect(to.st_blocks <= from.st_blocks + 16, "\(to.st_blocks) of \(from.st_blocks)")
      for (place, byte) in parts { #expect(bytes[place] == byte && bytes[place + 4095] == byte) }
      #expect(bytes.count { $0 != 0 } == parts.count * 4096)
    }
  }

  @Test(arguments: [CInt(1), 0])
  func filesWithoutHolesAreWhole(_ sharesBlocks: CInt) throws {
    for size in [0, 4096] {
      let (_, to, bytes) = try copy(size, data: size > 0 ? [(0, 7)] : [], sharesBlocks: sharesBlocks)
      #expect(bytes.count == size && to.st_size == size && bytes.allSatisfy { $0 == 7 })
    }
  }

  /// A file of the kernel's says that it has no bytes.
  @Test func filesOfTheKernelAreCopiedToTheirEnd() throws {
    let target = "\(root.folder)/target"
    let from = Descriptor(adopting: try check("open", "version") { open("/proc/version", O_RDONLY | O_CLOEXEC) })
    let to = Descriptor(adopting: try check("make", target) { open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600) })
    var shares: CInt = 0
    try check("copy to", target) { stack_copy_file(from.rawValue, to.rawValue, &shares) }
    #expect(try Files.read(target) == Files.read("/proc/version"))
  }
}
