import CImages
import Digests
import FoundationEssentials
import Glibc
import ImageReference
import JSON
import Kernel
import SystemPackage

/// The images of this host: blobs as they came, layers unpacked, and names.
///
///     blobs/ALGORITHM/HEX    manifests, configurations, layers as they came
///     layers/N/fs            a layer, unpacked; N/layer.json: what it is
///     chains/HEX             a link that says N, by the chain id
///     images/HEX.json        an image, by the digest of its manifest
///     names/HEX.json         a name, by the hash of it
///     builds/                what steps of builds have made, and the folders that they keep for later ones
///     ingest/                what is on its way
///     trash/                 what is being removed
///
/// An image is there once its name is, which is written last. All before that is on disk by then.
package struct ImageStore: Sendable, Hashable {
  package let path: String

  package init(_ path: String) { self.path = path }

  package var layersFolder: String { "\(path)/layers" }
  package var ingestFolder: String { "\(path)/ingest" }
  var trashFolder: String { "\(path)/trash" }
  private var imagesFolder: String { "\(path)/images" }
  private var namesFolder: String { "\(path)/names" }
  private var chainsFolder: String { "\(path)/chains" }

  package func blob(_ digest: ContentDigest) -> String { "\(path)/blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }
  package func layer(_ number: Int) -> String { "\(layersFolder)/\(number)/fs" }
  private func chain(_ chain: ContentDigest) -> String { "\(chainsFolder)/\(chain.hex)" }
  private func image(_ manifest: ContentDigest) -> String { "\(imagesFolder)/\(manifest.hex).json" }

  private func name(_ name: String) throws(LibraryError) -> String {
    "\(namesFolder)/\(try ContentHash.digest(of: Array(name.utf8)).hex).json"
  }

  /// Moves the images of a store that an earlier build kept elsewhere on the same file system. A pull of such a build ends first.
  /// Names come last, so a move that is broken off goes on with the next command.
  package func takeOver(_ former: String) throws(KernelError) {
    guard Files.exists("\(former)/names") else { return }
    let lock = try FileLock.take("\(former)/lock", .exclusive, isRemoved: true) { true }
    try Files.makeFolder(path, above: 0o700)
    for name in ["blobs", "layers", "chains", "images", "ingest", "trash", "names"] {
      guard rename("\(former)/\(name)", "\(path)/\(name)") != 0, errno != ENOENT else { continue }
      throw KernelError("move", "\(former)/\(name)", errno: .last)
    }
    _ = consume lock
    // A stack of that name may have its own files there.
    rmdir(former)
  }

  package func prepare() throws(KernelError) {
    let algorithms = ContentDigest.Algorithm.allCases.map { "\(path)/blobs/\($0.rawValue)" }
    for folder in [path] + algorithms + [
      layersFolder, chainsFolder, imagesFolder, namesFolder, ingestFolder, trashFolder,
    ] {
      try Files.makeFolder(folder, above: 0o700)
    }
    // Set-user-ID programs of images are nobody's on the host (CVE-2021-41091).
    try Files.closeToOthers(path)
  }

  // MARK: Locks

  /// Shared: nothing is removed meanwhile. Exclusive: to remove.
  ///
  /// - Returns: nil when `wait` says that nobody wants to wait for others.
  package func lock(_ mode: FileLock.Mode, wait: () -> Bool = { true }) throws(KernelError) -> FileLock? {
    try prepare()
    return try FileLock.take("\(path)/lock", mode, wait: wait)
  }

  package func lockChain(_ chain: ContentDigest, wait: () -> Bool) throws(KernelError) -> FileLock? {
    try FileLock.take("\(ingestFolder)/\(chain.hex).lock", .exclusive, isRemoved: true, wait: wait)
  }

  // MARK: Looking

  package func hasBlob(_ digest: ContentDigest) -> Bool { Files.exists(blob(digest)) }

  package func readBlob(_ digest: ContentDigest, limit: Int = 4 << 20) throws(KernelError) -> [UInt8]? {
    try Files.read(blob(digest), limit: limit)
  }

  /// The bytes of a blob; 0 for one that is not here.
  package func blobSize(_ digest: ContentDigest) -> Int64 {
    var status = stat()
    return lstat(blob(digest), &status) == 0 ? Int64(status.st_size) : 0
  }

  /// The number of the folder that has a layer; nil where the layer is not there.
  package func number(of chain: ContentDigest) -> Int? {
    var target = [UInt8](repeating: 0, count: 32)
    let count = readlink(self.chain(chain), &target, target.count)
    guard count > 0, let number = Int(String(decoding: target.prefix(count), as: UTF8.self)),
      Files.exists(layer(number))
    else { return nil }
    return number
  }

  package func record(of number: Int) -> LayerRecord? { read("\(layersFolder)/\(number)/layer.json") }

  package func image(manifest: ContentDigest) -> ImageRecord? { read(image(manifest)) }

  package func record(named name: String) throws(LibraryError) -> NameRecord? {
    read(try self.name(name))
  }

  /// The time at which a name was last given or fetched, in seconds since 1970. Nil for a name that is not here.
  package func time(ofName name: String) throws(LibraryError) -> Int64? {
    var status = stat()
    return stat(try self.name(name), &status) == 0 ? Int64(status.st_mtim.tv_sec) : nil
  }

  package func names() -> [NameRecord] {
    Files.list(namesFolder).filter { $0.hasSuffix(".json") }.compactMap { read("\(namesFolder)/\($0)") }
  }

  package func images() -> [ImageRecord] {
    Files.list(imagesFolder).filter { $0.hasSuffix(".json") }.compactMap { read("\(imagesFolder)/\($0)") }
  }

  /// The folders of an image's layers, the topmost first; nil where one is missing.
  package func folders(of image: ImageRecord) -> [Int]? {
    var numbers: [Int] = []
    for layer in image.layers.reversed() {
      guard let number = number(of: layer.chain) else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  func read<Value: Decodable>(_ path: String) -> Value? {
    guard let bytes = try? Files.read(path, limit: 16 << 20) else { return nil }
    return try? JSONReader.decode(Value.self, from: bytes)
  }

  // MARK: Taking in

  /// An empty folder for a layer, whose chain is locked by the caller. What a killed pull left there goes.
  package func beginLayer(_ chain: ContentDigest) throws(KernelError) -> String {
    let folder = temporary(chain)
    try Files.remove(folder)
    try Files.makeFolder(folder)
    try Files.makeFolder("\(folder)/fs", mode: 0o755)
    return folder
  }

  package func temporary(_ chain: ContentDigest) -> String { "\(ingestFolder)/\(chain.hex).tmp" }

  /// The file in which the bytes of a blob are collected. They stay there when a pull breaks off.
  package func part(_ digest: ContentDigest) -> String { "\(ingestFolder)/\(digest.hex).part" }

  /// Has everything that was written to the store on disk.
  package func sync() throws(KernelError) {
    let folder = try openFolder(path)
    try check("write to disk", path) { images_sync(folder.rawValue) }
  }

  /// Gives a blob its name. Its bytes are on disk.
  package func commit(part: String, as digest: ContentDigest) throws(KernelError) {
    try check("name", blob(digest)) { rename(part, blob(digest)) }
  }

  package func write(_ bytes: [UInt8], as digest: ContentDigest) throws(KernelError) {
    guard !hasBlob(digest) else { return }
    try replace(blob(digest), in: "\(path)/blobs/\(digest.algorithm.rawValue)", with: bytes)
  }

  /// Replaces a file of a folder that several pulls write to. They may write the same file, by way of the same other name.
  func replace(
    _ file: String, in folder: String, with bytes: [UInt8], isDurable: Bool = true
  ) throws(KernelError) {
    let lock = try openFolder(folder)
    try check("lock", folder) { flock(lock.rawValue, LOCK_EX) }
    defer { flock(lock.rawValue, LOCK_UN) }
    try Files.replace(file, with: bytes, isDurable: isDurable)
  }

  package func write(_ record: LayerRecord, in folder: String) throws(KernelError) {
    try Files.replace("\(folder)/layer.json", with: json(record))
  }

  /// Gives a layer its number. Its files are on disk.
  package func commit(layer folder: String, _ chain: ContentDigest) throws(KernelError) {
    let taken = Files.list(layersFolder).compactMap { Int($0) }.max() ?? 0
    var number = taken + 1
    while images_rename_to_new(folder, "\(layersFolder)/\(number)") != 0 {
      guard errno == EEXIST || errno == ENOTEMPTY else { throw KernelError("name", folder, errno: .last) }
      number += 1
    }
    let link = self.chain(chain)
    unlink("\(link).new")
    guard symlink("\(number)", "\(link).new") == 0, rename("\(link).new", link) == 0 else {
      throw KernelError("make", link, errno: .last)
    }
  }

  /// The last that a pull does: from here on the image is there.
  package func commit(_ image: ImageRecord, names: [NameRecord]) throws(KernelError) {
    try syncFolders()
    try replace(self.image(image.manifest), in: imagesFolder, with: json(image))
    try syncFolder(imagesFolder)
    for record in names { try write(record) }
    try syncFolder(namesFolder)
  }

  package func write(_ record: NameRecord) throws(KernelError) {
    let place: String
    do {
      place = try name(record.name)
    } catch {
      throw KernelError("name", record.name, errno: .noSuchFileOrDirectory, detail: "\(error)")
    }
    try replace(place, in: namesFolder, with: json(record))
  }

  private func syncFolders() throws(KernelError) {
    let algorithms = ContentDigest.Algorithm.allCases.map { "\(path)/blobs/\($0.rawValue)" }
    for folder in [layersFolder, chainsFolder] + algorithms { try syncFolder(folder) }
  }

  func syncFolder(_ path: String) throws(KernelError) {
    let folder = try openFolder(path)
    try check("write to disk", path) { fsync(folder.rawValue) }
  }

  func openFolder(_ path: String) throws(KernelError) -> Descriptor {
    Descriptor(adopting: try check("open", path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
  }

  func json(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts and numbers can always be encoded.
    return (try? encoder.encode(value)).map { Array($0) } ?? []
  }

  // MARK: Removing

  package func remove(name: String) throws(KernelError) {
    guard let place = try? self.name(name) else { return }
    guard unlink(place) == 0 || errno == ENOENT else { throw KernelError("remove", name, errno: .last) }
    try syncFolder(namesFolder)
  }

  /// The result of a removal.
  package struct Removal: Hashable, Sendable {
    package var images: [ContentDigest] = []
    package var bytes: Int64 = 0
  }

  /// Takes away what no image in `kept` needs. The caller holds the store's lock alone.
  ///
  /// - Parameters:
  ///   - kept: by the digest of its manifest.
  ///   - layers: numbers of folders that services run from.
  package func collect(keeping kept: Set<ContentDigest>, layers: Set<Int>) throws(KernelError) -> Removal {
    var removal = Removal()
    let all = images()
    let staying = all.filter { kept.contains($0.manifest) }
    for record in names() where !kept.contains(record.manifest) { try remove(name: record.name) }
    for image in all where !kept.contains(image.manifest) {
      removal.images.append(image.configuration)
      guard unlink(self.image(image.manifest)) == 0 else {
        throw KernelError("remove", self.image(image.manifest), errno: .last)
      }
    }
    try syncFolder(imagesFolder)
    let numbers = Set(staying.flatMap { $0.layers.compactMap { number(of: $0.chain) } }).union(layers)
    removal.bytes += try collectLayers(keeping: numbers)
    var blobs = Set(
      staying.flatMap { [$0.manifest, $0.configuration] + $0.layers.map(\.blob) + [$0.index].compactMap(\.self) })
    for record in names() { blobs.insert(record.digest) }
    removal.bytes += try collectBlobs(keeping: blobs)
    try emptyTrash()
    return removal
  }

  private func collectLayers(keeping numbers: Set<Int>) throws(KernelError) -> Int64 {
    var bytes: Int64 = 0
    for name in Files.list(chainsFolder) {
      var target = [UInt8](repeating: 0, count: 32)
      let count = readlink("\(chainsFolder)/\(name)", &target, target.count)
      let number = Int(String(decoding: target.prefix(max(count, 0)), as: UTF8.self))
      if number.map({ numbers.contains($0) }) != true { unlink("\(chainsFolder)/\(name)") }
    }
    for name in Files.list(layersFolder) {
      if let number = Int(name), numbers.contains(number) { continue }
      if let number = Int(name) { bytes += record(of: number)?.size ?? 0 }
      try check("remove", name) { rename("\(layersFolder)/\(name)", "\(trashFolder)/\(name).\(getpid())") }
    }
    return bytes
  }

  private func collectBlobs(keeping digests: Set<ContentDigest>) throws(KernelError) -> Int64 {
    var bytes: Int64 = 0
    for algorithm in ContentDigest.Algorithm.allCases {
      let folder = "\(path)/blobs/\(algorithm.rawValue)"
      for name in Files.list(folder) {
        if let digest = ContentDigest(algorithm, hex: name), digests.contains(digest) { continue }
        var status = stat()
        if lstat("\(folder)/\(name)", &status) == 0 { bytes += Int64(status.st_size) }
        guard unlink("\(folder)/\(name)") == 0 || errno == ENOENT else {
          throw KernelError("remove", "\(folder)/\(name)", errno: .last)
        }
      }
    }
    return bytes
  }

  private func emptyTrash() throws(KernelError) {
    for name in Files.list(trashFolder) { try Files.remove("\(trashFolder)/\(name)") }
  }

  /// Takes away what killed pulls left and nobody can go on with: folders of layers, and parts older than a week.
  package func removeLeftovers(now: time_t) throws(KernelError) {
    try emptyTrash()
    try removeLeftSteps()
    for name in Files.list(ingestFolder) {
      let path = "\(ingestFolder)/\(name)"
      if name.hasSuffix(".tmp"), let chain = ContentDigest(.sha256, hex: name.dropLast(4)) {
        guard let lock = try lockChain(chain, wait: { false }) else { continue }
        try Files.remove(path)
        _ = consume lock
      } else if name.hasSuffix(".part") {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mtim.tv_sec < now - 7 * 86400 else { continue }
        try Files.remove(path)
      } else if name.hasSuffix(".lock"), let chain = ContentDigest(.sha256, hex: name.dropLast(5)) {
        // Goes with its lock, unless somebody has it.
        _ = try lockChain(chain, wait: { false })
      } else if let owner = Self.owner(ofFolder: name), kill(owner, 0) != 0, errno == ESRCH {
        try Files.remove(path)
      }
    }
  }

  /// A folder that one command needs while it runs: `archive.PID.…`, `commit.PID.…`.
  package func passingFolder(_ purpose: String) -> String {
    "\(ingestFolder)/\(purpose).\(getpid()).\(UInt32.random(in: 0 ... .max))"
  }

  static func owner(ofFolder name: String) -> pid_t? {
    let parts = name.split(separator: ".")
    guard parts.count == 3, ["archive", "commit", "build"].contains(parts[0]), let owner = pid_t(parts[1]), owner > 0
    else {
      return nil
    }
    return owner
  }
}
