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
    if let number = number(of: record.chain), !mayBeCutOff(number) {
      abandon(step: name)
      return number
    }
    let folder = "\(layersFolder)/\(name)"
    try Files.remove("\(folder)/work")
    try Files.replace("\(folder)/\(Self.bootFile)", with: Array(Self.boot.utf8))
    try write(record, in: folder)
    try commit(layer: folder, record.chain)
    guard let number = number(of: record.chain) else {
      throw KernelError("name", folder, errno: .noSuchFileOrDirectory)
    }
    return number
  }

  /// In the folder of a layer that a build has made: the boot in which it was made. Nothing is flushed to disk then, so after a
  /// power cut it may lack some of its bytes.
  private static let bootFile = "boot"

  /// True for a layer that was made in another boot, and that nobody has looked at since.
  package func mayBeCutOff(_ number: Int) -> Bool {
    guard let boot = try? Files.read("\(layersFolder)/\(number)/\(Self.bootFile)", limit: 64) else { return false }
    return boot != Array(Self.boot.utf8)
  }

  /// Notes that a layer has all of its bytes.
  package func trust(_ number: Int) { unlink("\(layersFolder)/\(number)/\(Self.bootFile)") }

  private static let boot: String = {
    let bytes = (try? Files.read("/proc/sys/kernel/random/boot_id", limit: 64)) ?? nil
    return String(decoding: (bytes ?? []).prefix { $0 > 0x20 }, as: UTF8.self)
  }()

  /// Takes away what builds left that were killed.
  func removeLeftSteps() throws(KernelError) {
    for name in Files.list(layersFolder) {
      guard let owner = Self.owner(ofFolder: name), kill(owner, 0) != 0, errno == ESRCH else { continue }
      try Files.remove("\(layersFolder)/\(name)")
    }
  }
}
