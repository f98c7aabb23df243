import CLinux
import Glibc
import ImageStore
import Isolation
import Kernel
import Runtime
import SystemPackage

/// A command of a RUN step, all of it settled.
struct StepCommand {
  var arguments: [String]
  /// `NAME=value`
  var environment: [String]
  var workingFolder: String
  var user: String?
  /// Beside those that every step has.
  var mounts: [ContainerMount]
  /// Their places, to be made.
  var mountPoints: [(path: String, isFile: Bool)]
  /// Values that are not shown.
  var secrets: [[UInt8]]
}

/// The limits of RUN steps.
package struct StepLimits: Hashable, Sendable {
  package var resources = ResourceLimits()
  package var process: [ProcessLimit] = []
  /// Bytes of /dev/shm. Nil: 64 MiB.
  package var sharedMemory: UInt64?
  package init() {}
}

/// Runs commands as RUN steps: in the sandbox of a service, on a root whose top is the step's layer.
struct StepRunner {
  let store: ImageStore
  let launcher: StepLauncher
  let confinement: Confinement
  let limits: StepLimits
  /// Rings when the build is to stop.
  let stop: StopSignal

  enum Outcome {
    case ended(TerminationStatus)
    case stopped
  }

  /// - Parameters:
  ///   - lower: names of the layers below in the folder of layers, the topmost first.
  ///   - folder: the step's, with its layer in `fs`.
  func run(
    _ command: StepCommand, on lower: [String], in folder: String, at place: StepPlace, output: inout StepOutput,
    line: (String) -> Void
  ) throws(KernelError) -> Outcome {
    let below = try store.beginStep()
    defer { store.abandon(step: below) }
    let points = try MountPoints(command.mountPoints, in: "\(store.layersFolder)/\(below)/fs")
    let layer = "\(store.layersFolder)/\(folder)/fs"
    defer { points.remove(from: layer, lower: lower.map { "\(store.layersFolder)/\($0)" }) }

    var ends: (read: CInt, write: CInt) = (-1, -1)
    try makePipe(&ends)
    let reading = Descriptor(adopting: ends.read)
    var writing: Descriptor? = Descriptor(adopting: ends.write)
    let lacks = try place.group.create(limits.resources)
    for lack in lacks { line("no limits but those that were asked for: \(lack)") }
    // Without such filters on this host, the step has no device to open all the same: its root and mounts are nodev.
    try? place.group.restrictDevices(by: launcher.devices)
    defer {
      try? place.group.kill()
      try? place.group.remove()
    }
    let entrance = place.group.entrance(with: limits.resources)
    let birthplace = try entrance.birthplace()
    var process = ContainerProcess(command.arguments)
    (process.environment, process.workingDirectory) = (command.environment, command.workingFolder)
    (process.user, process.confinement) = (command.user, confinement)
    (process.limits, process.cgroup, process.cgroupEntrances) = (limits.process, birthplace.descriptor, entrance.open)
    let root = StepRoot(base: store.layersFolder, lower: lower + ["\(below)/fs"], folder: folder)
    var spec = ContainerSpec(hostname: "build", root: .step(root), process: process)
    spec.identities = place.users.identities
    spec.networkNamespace = place.networkNumber
    spec.settings.hasOwnNetwork = spec.networkNamespace != nil
    spec.settings.keepsTemporaryFolder = true
    spec.settings.sharedMemorySize = limits.sharedMemory
    spec.endsWithCaller = true
    for (path, target) in [(place.hosts, "/etc/hosts"), (place.resolver, "/etc/resolv.conf")] {
      var mount = ContainerMount.bind(path, at: target, readOnly: true)
      mount.identityMapping = .whenPossible
      spec.mounts.append(mount)
    }
    spec.mounts += command.mounts
    switch writing {
    case .some(let end):
      (spec.stdio.output, spec.stdio.error) = (.descriptor(end.fileDescriptor), .descriptor(end.fileDescriptor))
    case .none: break
    }
    let launched = try launcher.launcher.launch(spec)
    writing = nil
    return try follow(launched, reading, &output, line)
  }

  private func makePipe(_ ends: inout (read: CInt, write: CInt)) throws(KernelError) {
    try check("make", "a pipe") { stack_pipe(&ends.read, &ends.write) }
    // For programs of any user that open /dev/stdout once more.
    fchmod(ends.write, 0o622)
  }

  /// Passes on what it writes until it has ended. Whatever it has left running ends with it, by its pid namespace.
  private func follow(
    _ process: borrowing LaunchedProcess, _ reading: borrowing Descriptor, _ output: inout StepOutput,
    _ line: (String) -> Void
  ) throws(KernelError) -> Outcome {
    var isStopped = false
    var waits = [
      pollfd(fd: process.pidfd.rawValue, events: Int16(POLLIN), revents: 0),
      pollfd(fd: stop.number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: reading.rawValue, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      guard poll(&waits, nfds_t(waits.count), -1) >= 0 || errno == EINTR else {
        throw KernelError("wait for", "the step", errno: .last)
      }
      if waits[2].revents != 0, !drain(reading, &output, line) { waits[2].fd = -1 }
      if waits[1].revents != 0, !isStopped {
        isStopped = true
        waits[1].fd = -1
        try? ProcessHandle.send(SIGKILL, to: process.pidfd)
      }
      if waits[0].revents != 0 { break }
    }
    let status = try ProcessHandle.wait(for: process.pidfd)
    _ = drain(reading, &output, line)
    output.end(line)
    guard let status, !isStopped else { return .stopped }
    return .ended(status)
  }

  /// Answers whether there may be more.
  private func drain(_ reading: borrowing Descriptor, _ output: inout StepOutput, _ line: (String) -> Void) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = chunk.withUnsafeMutableBytes { read(reading.rawValue, $0.baseAddress, $0.count) }
      if count < 0, Errno.last == .interrupted { continue }
      guard count > 0 else { return count < 0 }
      output.take(chunk[..<count], line)
    }
  }
}

/// The launcher of all steps of a build, which cannot be copied.
package final class StepLauncher: Sendable {
  let launcher: ContainerLauncher
  let devices = DeviceFilter(DeviceRule.standard)

  package init(initProgram: String?) throws(KernelError) { launcher = try ContainerLauncher(initPath: initProgram) }
}

/// A signal that all threads of a build see: stop.
package final class StopSignal: Sendable {
  private let reading: Descriptor
  private let writing: Descriptor

  package init() throws(KernelError) {
    var ends: (read: CInt, write: CInt) = (-1, -1)
    try check("make", "a pipe") { stack_pipe(&ends.read, &ends.write) }
    reading = Descriptor(adopting: ends.read)
    writing = Descriptor(adopting: ends.write)
  }

  /// Readable once it was raised, for good: nobody reads.
  var number: CInt { reading.rawValue }

  package func raise() {
    var byte: UInt8 = 1
    _ = write(writing.rawValue, &byte, 1)
  }

  /// The same for waits that can be ended early.
  package var interruption: Interruption {
    Interruption(wake: reading.fileDescriptor, isInterrupted: { self.isRaised })
  }

  package var isRaised: Bool {
    var waiting = pollfd(fd: reading.rawValue, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, 0) > 0
  }
}
