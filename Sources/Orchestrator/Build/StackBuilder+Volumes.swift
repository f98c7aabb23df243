import Glibc
import Host
import Intent
import Kernel
import Runtime

extension StackBuilder {
  /// The folders of volumes, with the file systems that are mounted there.
  func makeVolumes(_ volumes: [DesiredVolume]) throws(KernelError) {
    for volume in volumes where !volume.isExternal {
      try Files.makeFolder(volume.folder, mode: 0o755, above: 0o700)
    }
    for volume in volumes where volume.isExternal && !Files.exists(volume.folder) {
      throw KernelError(
        "find volume", volume.folder, errno: .noSuchFileOrDirectory, remedy: "make the folder, or name another")
    }
    if volumes.contains(where: { $0.folder == folder.volume($0.name) }) { try guardVolumes() }
    for volume in volumes { try mount(volume) }
  }

  private func mount(_ volume: DesiredVolume) throws(KernelError) {
    guard let source = volume.mounted, !Mounts.isMounted(at: volume.folder) else { return }
    var options = source.options.split(separator: ",").map(String.init)
    if source.type.hasPrefix("nfs") { options = try withAddress(options, source.device) }
    do {
      try Mounts.fileSystem(source.type, of: source.device, at: volume.folder, options: options)
    } catch {
      var error = error
      error.remedy = error.remedy ?? "correct `driver_opts` of volume \(volume.name)"
      throw error
    }
  }

  /// The kernel takes the server's address as an option (nfs(5)): mount.nfs(8) writes it there.
  private func withAddress(_ options: [String], _ device: String) throws(KernelError) -> [String] {
    let given = options.first { $0.hasPrefix("addr=") }.map { String($0.dropFirst(5)) }
    let host = given ?? String(device.prefix { $0 != ":" })
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &found) == 0, let first = found else {
      throw KernelError("look up", host, errno: .noSuchAddressOrDevice, remedy: "correct addr= in driver_opts")
    }
    defer { freeaddrinfo(found) }
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    getnameinfo(
      first.pointee.ai_addr, first.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
    let address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return options.filter { !$0.hasPrefix("addr=") } + ["addr=\(address)"]
  }

  /// Takes off the file systems that are mounted as volumes.
  func unmountVolumes() throws(KernelError) {
    for name in Files.list(folder.volumes) {
      let path = folder.volume(name)
      while Mounts.isMounted(at: path) { try Mounts.unmount(path, detach: true) }
    }
  }

  /// Removes the stack's volumes, and those by a name for all stacks that no other stack has.
  func removeVolumes() throws(KernelError) {
    let record = (try? StackRecord(folder).read()) ?? nil
    for volume in record?.volumes ?? [] where volume.sharedName != nil && !volume.isExternal {
      guard volume.folder.hasPrefix("\(folders.sharedVolumes)/"), !isUsedElsewhere(volume.folder) else { continue }
      try Files.remove(volume.folder)
    }
    Files.removeIfEmpty(folders.sharedVolumes)
    try Files.remove(folder.volumes)
  }

  private func isUsedElsewhere(_ path: String) -> Bool {
    StackIndex(folders: folders).names().contains { name in
      guard name != stack, let record = try? StackRecord(folders.stack(name)).read() else { return false }
      return record.volumes.contains { $0.folder == path }
    }
  }
}
