import Intent
import Vocabulary

extension DesiredStack {
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
