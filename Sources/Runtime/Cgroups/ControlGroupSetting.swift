import Glibc
import Isolation
import Kernel
import SystemPackage

/// One limit, as the file that sets it has it in each version.
package struct ControlGroupSetting: Hashable {
  package struct Entry: Hashable {
    package let file: String
    package let value: String

    init(_ file: String, _ value: String) {
      self.file = file
      self.value = value
    }
  }

  package let controller: ControlGroups.Controller
  /// The limited resource, as it follows "cannot limit".
  let subject: String
  /// The files of version 2 that set it: the first one that exists is written.
  package let unified: [Entry]
  package let legacy: Entry
  /// True if somebody has asked for it: otherwise it is done without where it cannot be had.
  package var isRequired = true

  init(
    _ controller: ControlGroups.Controller, _ subject: String, unified: [Entry], legacy: Entry, isRequired: Bool = true
  ) {
    self.controller = controller
    self.subject = subject
    self.unified = unified
    self.legacy = legacy
    self.isRequired = isRequired
  }
}

extension ResourceLimits {
  /// The settings that make up the limits, in an order in which the kernel takes them.
  ///
  /// - Parameter number: the number of a block device by its path: `8:0`.
  package func settings(
    number: (String) throws(KernelError) -> String = BlockIOLimits.number(of:)
  ) throws(KernelError) -> [ControlGroupSetting] {
    var settings = memorySettings + processorSettings
    switch processes {
    case .none: break
    case .standard, .exactly(0):
      var setting = Self.processSetting(ProcessLimit.standardCount)
      setting.isRequired = false
      settings.append(setting)
    case .exactly(let count): settings.append(Self.processSetting(count))
    }
    if !blockIO.isEmpty { settings += try blockIO.settings(number: number) }
    return settings
  }

  private static func processSetting(_ count: UInt64) -> ControlGroupSetting {
    ControlGroupSetting(
      .pids, "the number of processes", unified: [.init("pids.max", "\(count)")],
      legacy: .init("pids.max", "\(count)"))
  }

  /// memory.max comes first: version 1 refuses less of memory and swap than of memory.
  private var memorySettings: [ControlGroupSetting] {
    var settings: [ControlGroupSetting] = []
    if let memory {
      settings.append(
        ControlGroupSetting(
          .memory, "the memory", unified: [.init("memory.max", "\(memory)")],
          legacy: .init("memory.limit_in_bytes", "\(memory)")))
      let (double, isTooMuch) = memory.multipliedReportingOverflow(by: 2)
      let both = memoryAndSwap ?? (isTooMuch ? .max : double)
      if both != .max {
        // Version 2 counts swap by itself. A kernel without swap accounting has no such file, nor any need of one.
        settings.append(
          ControlGroupSetting(
            .memory, "the swap space", unified: [.init("memory.swap.max", "\(both - min(memory, both))")],
            legacy: .init("memory.memsw.limit_in_bytes", "\(both)"), isRequired: memoryAndSwap != nil))
      }
    }
    if let reservedMemory {
      settings.append(
        ControlGroupSetting(
          .memory, "the reserved memory", unified: [.init("memory.low", "\(reservedMemory)")],
          legacy: .init("memory.soft_limit_in_bytes", "\(reservedMemory)")))
    }
    return settings
  }

  private var processorSettings: [ControlGroupSetting] {
    var settings: [ControlGroupSetting] = []
    if let processorQuota {
      settings.append(
        ControlGroupSetting(
          .cpu, "the processor time",
          unified: [.init("cpu.max", "\(processorQuota) \(Self.processorPeriod)")],
          legacy: .init("cpu.cfs_quota_us", "\(processorQuota)")))
    }
    if let processorShares {
      settings.append(
        ControlGroupSetting(
          .cpu, "the share of the processors",
          unified: [.init("cpu.weight", "\(Self.weight(ofShares: processorShares))")],
          legacy: .init("cpu.shares", "\(processorShares)")))
    }
    if let processors {
      settings.append(
        ControlGroupSetting(
          .cpuset, "the processors", unified: [.init("cpuset.cpus", processors)],
          legacy: .init("cpuset.cpus", processors)))
    }
    return settings
  }

  /// The weight that stands for a number of shares: 1 for 2, 100 for 1,024 and 10,000 for 262,144, which are least, usual and
  /// most of either, on a curve through these three (runc and crun since 2025; the straight line of before made 39 of the
  /// usual number).
  static func weight(ofShares shares: UInt64) -> UInt64 {
    if shares <= 2 { return 1 }
    if shares >= 262_144 { return 10_000 }
    let exponent = log2(Double(shares))
    return UInt64(pow(10, (exponent * exponent + 125 * exponent) / 612 - 7.0 / 34).rounded(.up))
  }
}

extension BlockIOLimits {
  fileprivate func settings(
    number: (String) throws(KernelError) -> String
  ) throws(KernelError) -> [ControlGroupSetting] {
    var settings: [ControlGroupSetting] = []
    if let weight {
      settings.append(
        ControlGroupSetting(
          .io, "the share of block devices",
          unified: [
            .init("io.bfq.weight", "\(weight)"),
            .init("io.weight", "default \(Self.unified(weight))"),
          ],
          legacy: .init("blkio.bfq.weight", "\(weight)")))
    }
    for (path, weight) in deviceWeights.sorted(by: { $0.key < $1.key }) {
      let device = try number(path)
      settings.append(
        ControlGroupSetting(
          .io, "the share of \(path)",
          unified: [
            .init("io.bfq.weight", "\(device) \(weight)"),
            .init("io.weight", "\(device) \(Self.unified(weight))"),
          ],
          legacy: .init("blkio.bfq.weight_device", "\(device) \(weight)")))
    }
    for rate in rates {
      let device = try number(rate.device)
      let names: (unified: String, legacy: String) =
        switch rate.kind {
        case .bytesRead: ("rbps", "read_bps_device")
        case .bytesWritten: ("wbps", "write_bps_device")
        case .reads: ("riops", "read_iops_device")
        case .writes: ("wiops", "write_iops_device")
        }
      settings.append(
        ControlGroupSetting(
          .io, "the use of \(rate.device)",
          unified: [.init("io.max", "\(device) \(names.unified)=\(rate.rate)")],
          legacy: .init("blkio.throttle.\(names.legacy)", "\(device) \(rate.rate)")))
    }
    return settings
  }

  /// The weight on version 2's own scale, 1 to 10,000, where the kernel has no BFQ scheduler.
  static func unified(_ weight: UInt64) -> UInt64 { 1 + (max(weight, 10) - 10) * 9999 / 990 }

  /// `8:0`, as these files name a device.
  package static func number(of path: String) throws(KernelError) -> String {
    var status = stat()
    try check("limit the use of", path) { stat(path, &status) }
    guard status.st_mode & S_IFMT == S_IFBLK else {
      throw KernelError(
        "limit the use of", path, errno: .notBlockDevice, remedy: "name a whole disk: lsblk shows this host's")
    }
    return "\(DeviceNumber(status.st_rdev))"
  }
}

/// The number of a device (makedev(3), a macro).
public struct DeviceNumber: Hashable, Sendable, CustomStringConvertible {
  public let major: UInt64
  public let minor: UInt64

  public init(_ number: dev_t) {
    let number = UInt64(number)
    major = (number >> 8) & 0xfff | (number >> 32) & ~0xfff
    minor = number & 0xff | (number >> 12) & ~0xff
  }

  public var description: String { "\(major):\(minor)" }
}
