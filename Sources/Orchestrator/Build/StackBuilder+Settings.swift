import Glibc
import Host
import Intent
import Isolation
import Kernel
import Runtime
import SystemPackage
import Vocabulary

extension StackBuilder {
  /// The processes whose namespaces a service joins. They are held open until the service is made.
  struct Neighbours: Sendable {
    var ipc: ServiceProcess?
    var pid: ServiceProcess?
  }

  func neighbours(of service: DesiredService) throws(KernelError) -> Neighbours {
    Neighbours(
      ipc: try process(of: service.settings.ipc, for: service), pid: try process(of: service.settings.pid, for: service)
    )
  }

  private func process(
    of namespace: DesiredSettings.Namespace, for service: DesiredService
  ) throws(KernelError) -> ServiceProcess? {
    guard case .service(let name) = namespace else { return nil }
    let record = try StateFile<ServiceRecord>(path: folder.service(name).record).read()
    if let process = record?.process.flatMap({ ServiceProcess($0) }) { return process }
    throw KernelError(
      "share a namespace with", "\(stack)/\(name)", errno: .noSuchProcess, detail: "it does not run",
      remedy: "start it first: stack start \(stack)/\(name)")
  }

  /// - Parameter neighbours: the result of ``neighbours(of:)``.
  func settings(of service: DesiredService, _ neighbours: Neighbours) throws(KernelError) -> ContainerSettings {
    let desired = service.settings
    var settings = ContainerSettings()
    settings.sharedMemorySize = desired.sharedMemorySize
    settings.temporarySize = writableSize(of: service)
    settings.kernelParameters = service.kernelParameters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    settings.hasOwnNetwork = service.namespace != .host
    settings.devices = try devices(of: service).map(\.node)
    settings.ipc = Self.namespace(desired.ipc, neighbours.ipc)
    settings.pid = Self.namespace(desired.pid, neighbours.pid)
    settings.usesHostNames = desired.usesHostNames
    settings.timeOffsets = desired.timeOffsets
    // POSIX shared memory consists of files in /dev/shm (shm_overview(7)). So /dev/shm is shared with the ipc namespace.
    if let process = neighbours.ipc, !service.mounts.contains(where: { $0.target == "/dev/shm" }) {
      settings.sharedMemoryOf = process.process.pidfd.fileDescriptor
    }
    return settings
  }

  private static func namespace(
    _ namespace: DesiredSettings.Namespace, _ process: ServiceProcess?
  ) -> ContainerSettings.Namespace {
    if let process { return .process(process.process.pidfd.fileDescriptor) }
    return namespace == .host ? .host : .own
  }

  // MARK: Devices

  /// The device rules of a service's cgroup. Nil for a privileged service, which may use all devices.
  func deviceRules(of service: DesiredService) throws(KernelError) -> [DeviceRule]? {
    if service.process.security.isPrivileged { return nil }
    return DeviceRule.standard + service.settings.deviceRules + (try devices(of: service).map(\.rule))
  }

  private func devices(of service: DesiredService) throws(KernelError) -> [(node: ContainerDevice, rule: DeviceRule)] {
    var found: [(node: ContainerDevice, rule: DeviceRule)] = []
    for device in service.settings.devices {
      try collect(device.path, device.name, device.access, place: service.declaredAt, into: &found)
    }
    return found
  }

  private func collect(
    _ path: String, _ name: String, _ access: DeviceRule.Access, place: SourceLine?,
    into found: inout [(node: ContainerDevice, rule: DeviceRule)]
  ) throws(KernelError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw KernelError(
        "give the service", path, errno: .last,
        remedy: "name a device that this host has")
    }
    let kind: DeviceRule.Kind
    switch status.st_mode & S_IFMT {
    case S_IFCHR: kind = .character
    case S_IFBLK: kind = .block
    case S_IFDIR:
      for entry in Files.list(path) {
        try collect("\(path)/\(entry)", "\(name)/\(entry)", access, place: place, into: &found)
      }
      return
    default:
      throw KernelError(
        "give the service", path, errno: .invalidArgument, detail: "it is not a device",
        remedy: "bind it under `volumes:`\(place.map { " (\($0))" } ?? "")")
    }
    let number = DeviceNumber(status.st_rdev)
    found.append(
      (
        ContainerDevice(name: name, mode: status.st_mode, number: UInt64(status.st_rdev)),
        DeviceRule(kind, UInt32(number.major), UInt32(number.minor), access)
      ))
  }
}
