import Glibc
import ImageReference
import Kernel

extension ImageStore {
  /// An empty folder for a step of a build, among the layers, so that it can become one of them by its name. Its layer is in
  /// `fs`. The caller holds the store (``lock(_:wait:)``).
  ///
  /// - Returns: its name in ``layersFolder``.
  package func beginStep() throws(KernelError) -> String {
    let name = "build.\(getpid()).\(UInt32.random(in: 0 ... .max))"
    let path = "\(layersFolder)/\(name)"
    try Files.makeFolder(path)
    try Files.makeFolder("\(path)/fs", mode: 0o755)
    try Files.makeFolder("\(path)/work")
    return name
  }

  package func abandon(step name: String) { try? Files.remove("\(layersFolder)/\(name)") }

  /// Makes a step's folder a layer. Where the same one is there, that one is taken.
  ///
  /// - Returns: its number.
  package func commit(step name: String, _ record: LayerRecord) throws(KernelError) -> Int {
    let lock = try lockChain(record.chain) { true }
    defer { withExtendedLifetime(lock) {} }
    if let number = number(of: record.chain), self.record(of: number) != nil {
      abandon(step: name)
      return number
    }
    let folder = "\(layersFolder)/\(name)"
    try Files.remove("\(folder)/work")
    try write(record, in: folder)
    try commit(layer: folder, record.chain)
    guard let number = number(of: record.chain) else {
      throw KernelError("name", folder, errno: .noSuchFileOrDirectory)
    }
    return number
  }

  /// Takes away what builds left that were killed.
  func removeLeftSteps() throws(KernelError) {
    for name in Files.list(layersFolder) {
      guard let owner = Self.owner(ofFolder: name), kill(owner, 0) != 0, errno == ESRCH else { continue }
      try Files.remove("\(layersFolder)/\(name)")
    }
  }
}
