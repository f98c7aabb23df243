import Build
import Control
import Glibc
import Host
import Intent
import Kernel
import Runtime

/// The stack's folder, when somebody takes it away or damages what is in it: the supervisor knows all of it, and puts it back.
extension Supervisor {
  func watchFolder() {
    let folder = builder.folder
    let names = [
      folder.intent, folder.settled, folder.supervisor, folder.services, folder.names, folder.layers,
      ControlSocket.path(inFolder: folder.path),
    ]
    folderWatch = try? FolderWatch(
      folder.path, names: Set(names.map { String($0.dropFirst(folder.path.utf8.count + 1)) }), loop: loop
    ) { [weak self] in
      self?.enqueue { [weak self] in
        self?.mend(readsAll: false)
        self?.commandEnded()
      }
    }
  }

  /// Puts back what is missing and writes again what cannot be read.
  ///
  /// - Parameter readsAll: true to read the services' records as well. A change of the folder itself, which every `up` makes,
  ///   says nothing of those while their folder is there.
  /// - Returns: the paths.
  @discardableResult
  func mend(readsAll: Bool = true) -> [String] {
    guard let stack else { return [] }
    var mended: [String] = []
    let readsAll = readsAll || !Files.exists(builder.folder.services)
    do throws(KernelError) {
      let folders = try builder.mendFolders(of: stack)
      if !folders.isEmpty { names.follow(hostsFilesOf: stack) }
      mended += folders
      mended += try builder.mendRecord(of: stack, isSettled: isSettled, reads: readsAll)
      for unit in units.values where readsAll { mended += try builder.mendRecords(of: unit.desired, unit.record) }
      mended += try mendWays()
    } catch {
      note("\(builder.stack): its folder cannot be put back: \(error)")
    }
    folderWatch?.begin()
    guard !mended.isEmpty else { return [] }
    note("\(builder.stack): put back after another program had taken it away: \(mended.joined(separator: ", "))")
    return mended
  }

  /// The ways to this supervisor: its socket, its log and the record of its process.
  private func mendWays() throws(KernelError) -> [String] {
    let folder = builder.folder
    var mended: [String] = []
    pump.restoreStaging()
    if !Files.exists(folder.supervisorLog) { reopenLog() }
    let record = StateFile<ProcessIdentity>(path: folder.supervisor)
    let own = try ProcessIdentity(of: getpid())
    if try record.read() != own {
      try record.write(own)
      mended.append(folder.supervisor)
    }
    if !Files.exists(ControlSocket.path(inFolder: folder.path)) {
      try server.listen(on: ControlSocket.listen(inFolder: folder.path))
      mended.append(ControlSocket.path(inFolder: folder.path))
    }
    return mended
  }

  private func reopenLog() {
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW
    let number = open(builder.folder.supervisorLog, flags, 0o600)
    guard number >= 0 else { return }
    let log = Descriptor(adopting: number)
    dup2(log.rawValue, STDOUT_FILENO)
    dup2(log.rawValue, STDERR_FILENO)
  }

  /// A supervisor that its watcher has started again may have got a socket that nobody finds.
  func ensureItIsFound() {
    let folder = builder.folder
    if !Files.exists(folder.supervisorLog), Files.exists(folder.path) { reopenLog() }
    guard !ControlSocket.isListening(inFolder: folder.path) else { return }
    try? Files.makeFolder(folder.path)
    guard case .some(let listener) = try? ControlSocket.listen(inFolder: folder.path) else { return }
    try? server.listen(on: listener)
  }
}
