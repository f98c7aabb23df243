import Glibc
import Host
import Intent
import Kernel
import Runtime

extension StackBuilder {
  /// Puts back folders that somebody has taken away from under a stack that runs, with the modes that they had.
  ///
  /// - Returns: what was put back.
  package func mendFolders(of desired: DesiredStack) throws(KernelError) -> [String] {
    let missing = [folder.path, folder.names, folder.services, folder.layers].filter { !Files.exists($0) }
    let hasLostRoot =
      hostRoot.withLock { $0 != nil } && !Files.exists(folder.hostRoot)
      && !Files.exists(folder.hostRootOnDisk)
    guard !missing.isEmpty || hasLostRoot else { return [] }
    try makeFolders(desired)
    try mountLayers()
    // It is built again for the next start.
    hostRoot.withLock { $0 = nil }
    return missing.isEmpty ? [folder.hostRoot] : missing
  }

  /// Writes what cannot be read of a stack's own record again.
  ///
  /// - Parameter reads: true to read it whole. Otherwise its two ends are looked at.
  package func mendRecord(
    of desired: DesiredStack, isSettled: Bool, reads: Bool
  ) throws(KernelError) -> [String] {
    var mended: [String] = []
    let isWhole =
      reads ? try StackRecord(folder).readFile() != nil : StateFile<DesiredStack>(path: folder.intent).looksWhole
    if !isWhole {
      try StackRecord(folder).write(desired)
      mended.append(folder.intent)
    }
    if isSettled, !Files.exists(folder.settled) {
      try settle()
      mended.append(folder.settled)
    }
    return mended
  }

  /// The same for one of its services, which runs if there is a process in the record.
  package func mendRecords(of service: DesiredService, _ record: ServiceRecord) throws(KernelError) -> [String] {
    let paths = folder.service(service.name)
    guard record.phase != .created else { return [] }
    var mended: [String] = []
    try Files.makeFolder(paths.path)
    let file = StateFile<ServiceRecord>(path: paths.record)
    if try file.read()?.service != service.name {
      try file.write(record)
      mended.append(paths.record)
    }
    let context = StateFile<ProcessContext>(path: paths.execContext)
    if record.process != nil, try context.read() == nil {
      try context.write(ProcessContext(service, controlGroup(of: service.name).entrance(with: service.limits)))
      mended.append(paths.execContext)
    }
    return mended
  }
}
