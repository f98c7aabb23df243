import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

/// Rules about devices, ready for the kernel. In version 2 they are a BPF program that runs at each opening of a device
/// (BPF_PROG_TYPE_CGROUP_DEVICE). In version 1 they are lines for the devices controller.
public final class DeviceFilter: Sendable {
  let rules: [DeviceRule]
  private let program: Descriptor?
  /// The error of loading the program. Nil if it is loaded.
  private let refusal: KernelError?

  /// Loads it. A refusal of the kernel is thrown later, by ``ControlGroup/restrictDevices(by:)``.
  public init(_ rules: [DeviceRule]) {
    self.rules = rules
    let instructions = Self.instructions(for: rules)
    let number = instructions.withUnsafeBytes {
      stack_load_device_filter($0.baseAddress, CUnsignedInt(instructions.count / 8))
    }
    program = number >= 0 ? .some(Descriptor(adopting: number)) : nil
    refusal = number >= 0 ? nil : KernelError("load", "a filter for devices", errno: .last)
  }

  /// True if the kernel has taken it.
  public var isLoaded: Bool { refusal == nil }

  /// - Throws: the refusal to load the program, or to attach it.
  func attach(to folder: String) throws(KernelError) {
    if let refusal { throw refusal }
    let group = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
    switch program {
    case .some(let program):
      try check("filter devices in", folder) { stack_attach_device_filter(group.rawValue, program.rawValue) }
    case .none: break
    }
  }

  // MARK: The program

  /// struct bpf_insn, one after the other (linux/bpf.h, and instruction-set.rst of the kernel).
  ///
  /// It gets three words (struct bpf_cgroup_dev_ctx): the access and the kind of device in one, and the device's two
  /// numbers. Each rule is a row of tests, and a test that fails leads to the next rule. A rule whose tests all pass
  /// answers 1, and the end of the program answers 0.
  static func instructions(for rules: [DeviceRule]) -> [UInt8] {
    var program: [Instruction] = [
      .load(2, from: 1, offset: 0), .copy(3, 2), .and(3, 0xffff), .shiftRight(2, 16),
      .load(4, from: 1, offset: 4), .load(5, from: 1, offset: 8),
    ]
    for rule in rules {
      var tests: [(Int16) -> Instruction] = []
      switch rule.kind {
      case .block: tests.append { .jumpUnlessEqual(3, 1, $0) }
      case .character: tests.append { .jumpUnlessEqual(3, 2, $0) }
      case .all: break
      }
      if rule.access != .all {
        // The requested access beyond that of the rule.
        let beyond = Int32(DeviceRule.Access.all.subtracting(rule.access).rawValue)
        tests.append { .jumpIfAny(2, beyond, $0) }
      }
      if let major = rule.major { tests.append { .jumpUnlessEqual(4, Int32(bitPattern: major), $0) } }
      if let minor = rule.minor { tests.append { .jumpUnlessEqual(5, Int32(bitPattern: minor), $0) } }
      for (index, test) in tests.enumerated() {
        // Past the other tests and the two that answer.
        program.append(test(Int16(tests.count - index + 1)))
      }
      program += [.set(0, 1), .exit]
    }
    program += [.set(0, 0), .exit]
    return program.flatMap(\.bytes)
  }

  private struct Instruction {
    var code: UInt8
    var destination: UInt8 = 0
    var source: UInt8 = 0
    var offset: Int16 = 0
    var constant: Int32 = 0

    /// BPF_LDX | BPF_MEM | BPF_W
    static func load(_ register: UInt8, from base: UInt8, offset: Int16) -> Instruction {
      Instruction(code: 0x61, destination: register, source: base, offset: offset)
    }
    /// BPF_ALU | BPF_MOV | BPF_X, BPF_AND | BPF_K, BPF_RSH | BPF_K: on 32 bits.
    static func copy(_ register: UInt8, _ other: UInt8) -> Instruction {
      Instruction(code: 0xbc, destination: register, source: other)
    }
    static func and(_ register: UInt8, _ constant: Int32) -> Instruction {
      Instruction(code: 0x54, destination: register, constant: constant)
    }
    static func shiftRight(_ register: UInt8, _ constant: Int32) -> Instruction {
      Instruction(code: 0x74, destination: register, constant: constant)
    }
    /// BPF_JMP32 | BPF_JNE | BPF_K, BPF_JMP32 | BPF_JSET | BPF_K
    static func jumpUnlessEqual(_ register: UInt8, _ constant: Int32, _ offset: Int16) -> Instruction {
      Instruction(code: 0x56, destination: register, offset: offset, constant: constant)
    }
    static func jumpIfAny(_ register: UInt8, _ constant: Int32, _ offset: Int16) -> Instruction {
      Instruction(code: 0x46, destination: register, offset: offset, constant: constant)
    }
    /// BPF_ALU64 | BPF_MOV | BPF_K
    static func set(_ register: UInt8, _ constant: Int32) -> Instruction {
      Instruction(code: 0xb7, destination: register, constant: constant)
    }
    static let exit = Instruction(code: 0x95)

    var bytes: [UInt8] {
      [code, destination | source << 4] + withUnsafeBytes(of: offset, Array.init)
        + withUnsafeBytes(of: constant, Array.init)
    }
  }
}

extension ControlGroup {
  /// Lets the group's processes use those devices alone that a filter has rules for: by the filter's program in version 2,
  /// else by the devices controller of version 1. Call it before any process enters the group.
  ///
  /// - Throws: what neither could do.
  public func restrictDevices(by filter: DeviceFilter) throws(KernelError) {
    var refusal: KernelError?
    if let tree = groups.unified {
      do throws(KernelError) {
        return try filter.attach(to: folder(in: tree))
      } catch {
        refusal = error
      }
    }
    guard let tree = groups.legacy[.devices] else {
      throw refusal ?? KernelError("filter devices in", path, errno: .notSupported)
    }
    try renew(in: tree)
    try ControlGroupFile.write("\(folder(in: tree))/devices.deny", "a")
    for rule in filter.rules {
      try ControlGroupFile.write("\(folder(in: tree))/devices.allow", rule.description)
    }
  }
}
