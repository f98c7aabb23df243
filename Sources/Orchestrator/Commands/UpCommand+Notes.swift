import Build
import Intent
import Vocabulary

extension DesiredStack {
  /// Writable layers of services with an image that are in memory, and why.
  func layerNotes(in folder: StackFolder) -> [String] {
    let withImage = services.filter { $0.image != nil }
    let limited = withImage.filter { $0.settings.writableSize != nil }
    let others = withImage.filter { $0.settings.writableSize == nil }
    var notes: [String] = []
    if !limited.isEmpty {
      let names = limited.map(\.name).joined(separator: ", ")
      notes.append("\(names): what it writes to its root is kept in memory, where `storage_opt` can limit it")
    }
    if !others.isEmpty, !LayerDisk.canHold(folder.lib) {
      let names = others.map(\.name).joined(separator: ", ")
      notes.append(
        "\(names): what it writes to its root is kept in memory, since \(folder.lib) is on an overlay, which holds no other; "
          + "mount a disk there")
    }
    return notes
  }

  /// Docker's socket leads to another engine, if to any: what asks there learns nothing of this stack.
  var engineSocketNote: String? {
    let users = services.filter { service in
      service.mounts.contains { $0.hostPath?.hasSuffix("/docker.sock") == true || $0.target.hasSuffix("/docker.sock") }
    }
    guard !users.isEmpty else { return nil }
    let names = users.map(\.name).joined(separator: ", ")
    return "\(names): nothing answers for this stack at docker.sock, since stack has no Docker API"
  }
}
