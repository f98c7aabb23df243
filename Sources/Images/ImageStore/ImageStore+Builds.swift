import FoundationEssentials
import Glibc
import ImageReference
import Kernel

/// The result of a step of a build, by the key that names all it depends on.
package struct BuildRecord: Codable, Hashable, Sendable {
  /// Of the record's own form. One of another is not read.
  package var version = BuildRecord.currentVersion
  package var key: String
  /// Nil where the step changed no file.
  package var layer: ImageRecord.Layer?
  /// RFC 3339.
  package var created: String
  /// The step, for people.
  package var text: String
  package static let currentVersion = 1

  package init(
    key: String, layer: ImageRecord.Layer?, created: String, text: String
  ) {
    (self.key, self.layer, self.created, self.text) = (key, layer, created, text)
  }
}

extension ImageStore {
  private var buildsFolder: String { "\(path)/builds" }
  private var stepsFolder: String { "\(buildsFolder)/steps" }
  /// The caches that RUN steps keep for themselves.
  package var cachesFolder: String { "\(buildsFolder)/caches" }
  private var placesFolder: String { "\(buildsFolder)/places" }
  private var logsFolder: String { "\(buildsFolder)/logs" }
  private var selectionsFolder: String { "\(buildsFolder)/selections" }

  package func prepareBuilds() throws(KernelError) {
    try prepare()
    for folder in [buildsFolder, stepsFolder, cachesFolder, placesFolder, logsFolder, selectionsFolder] {
      try Files.makeFolder(folder, above: 0o700)
    }
  }

  private func step(_ key: String) -> String { "\(stepsFolder)/\(key).json" }

  /// One build at a time makes what a key names; others wait and find it.
  ///
  /// - Parameter key: letters and digits.
  package func lockStep(_ key: String, wait: () -> Bool) throws(KernelError) -> FileLock? {
    try FileLock.take("\(buildsFolder)/\(key).lock", .exclusive, isRemoved: true, wait: wait)
  }

  /// The result of a step whose layer is there, which counts as used now.
  package func buildRecord(_ key: String) -> BuildRecord? {
    guard let record: BuildRecord = read(step(key)), record.version == BuildRecord.currentVersion, record.key == key
    else { return nil }
    if let layer = record.layer, number(of: layer.chain) == nil { return nil }
    utimensat(AT_FDCWD, step(key), nil, 0)
    return record
  }

  /// Written after its layer is there. It need not outlive a power cut, but then is no longer there: see ``buildRecord(_:)``.
  package func write(_ record: BuildRecord) throws(KernelError) {
    try replace(step(record.key), in: stepsFolder, with: json(record), isDurable: false)
  }

  /// The situation of a step at a place of a Dockerfile the last time.
  ///
  /// - Parameter place: letters and digits.
  package func buildPlace(_ place: String) -> [UInt8]? {
    (try? Files.read("\(placesFolder)/\(place)", limit: 4 << 20)) ?? nil
  }

  /// The files that it took.
  package func buildPlaceFiles(_ place: String) -> [UInt8]? {
    (try? Files.read("\(placesFolder)/\(place).files", limit: 256 << 20)) ?? nil
  }

  package func write(place: String, _ bytes: [UInt8], files: [UInt8]?) throws(KernelError) {
    let path = "\(placesFolder)/\(place)"
    // The two must be of one build, and the record says which.
    unlink(path)
    if let files {
      try replace("\(path).files", in: placesFolder, with: files, isDurable: false)
    } else {
      unlink("\(path).files")
    }
    try replace(path, in: placesFolder, with: bytes, isDurable: false)
  }

  /// The file for the output of a step, by its key.
  package func log(ofStep key: String) -> String { "\(logsFolder)/\(key).log" }

  /// The digest of files that a step has taken from layers, by what names the layers and the files: letters and digits. It
  /// counts as used now.
  package func selection(_ name: String) -> ContentDigest? {
    let path = "\(selectionsFolder)/\(name)"
    guard let bytes = try? Files.read(path, limit: 1024) else { return nil }
    utimensat(AT_FDCWD, path, nil, 0)
    return ContentDigest(String(decoding: bytes, as: UTF8.self))
  }

  /// The files of such a digest.
  package func selectionFiles(_ name: String) -> [UInt8]? {
    (try? Files.read("\(selectionsFolder)/\(name).files", limit: 256 << 20)) ?? nil
  }

  package func write(selection name: String, _ digest: ContentDigest, files: [UInt8]?) throws(KernelError) {
    let path = "\(selectionsFolder)/\(name)"
    if let files { try replace("\(path).files", in: selectionsFolder, with: files, isDurable: false) }
    try replace(path, in: selectionsFolder, with: Array("\(digest)".utf8), isDurable: false)
  }

  /// The digests of files of contexts.
  package var buildMemory: String { "\(buildsFolder)/digests" }

  // MARK: Removing

  /// The layers of steps that were used since a moment. Records that are older go.
  package func keepBuilds(since moment: time_t) -> Set<Int> {
    var numbers: Set<Int> = []
    for name in Files.list(stepsFolder) where name.hasSuffix(".json") {
      let path = "\(stepsFolder)/\(name)"
      var status = stat()
      guard lstat(path, &status) == 0 else { continue }
      let record: BuildRecord? = status.st_mtim.tv_sec >= moment ? read(path) : nil
      guard let record, record.version == BuildRecord.currentVersion else {
        unlink(path)
        continue
      }
      guard let layer = record.layer else { continue }
      if let number = number(of: layer.chain) { numbers.insert(number) } else { unlink(path) }
    }
    return numbers
  }

  /// Takes away the caches of RUN steps that were not used since a moment, logs, and what says why steps differ. The caller holds the store alone.
  ///
  /// - Returns: bytes.
  package func removeCaches(before moment: time_t) throws(KernelError) -> Int64 {
    var bytes: Int64 = 0
    for name in Files.list(cachesFolder) {
      let path = "\(cachesFolder)/\(name)"
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mtim.tv_sec < moment else { continue }
      bytes += Self.size(of: path)
      try Files.remove(path)
    }
    for folder in [placesFolder, logsFolder, selectionsFolder] {
      for path in Files.list(folder).map({ "\(folder)/\($0)" }) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mtim.tv_sec < moment else { continue }
        bytes += Self.size(of: path)
        unlink(path)
      }
    }
    return bytes
  }

  /// The bytes on disk below a folder.
  package static func size(of path: String) -> Int64 {
    var status = stat()
    guard lstat(path, &status) == 0 else { return 0 }
    let own = Int64(status.st_blocks) * 512
    guard status.st_mode & S_IFMT == S_IFDIR else { return own }
    return Files.list(path).reduce(own) { $0 + size(of: "\(path)/\($1)") }
  }

  /// The steps that are kept, with the time at which they were last used, in seconds since 1970.
  package func buildSteps() -> [(record: BuildRecord, lastUsed: Int64)] {
    Files.list(stepsFolder).sorted().compactMap { name in
      let path = "\(stepsFolder)/\(name)"
      var status = stat()
      guard name.hasSuffix(".json"), lstat(path, &status) == 0, let record: BuildRecord = read(path) else { return nil }
      return (record, Int64(status.st_mtim.tv_sec))
    }
  }

  /// The caches of RUN steps, with their bytes on disk and the time at which they were last used.
  package func buildCaches() -> [(name: String, size: Int64, lastUsed: Int64)] {
    Files.list(cachesFolder).sorted().compactMap { name in
      let path = "\(cachesFolder)/\(name)"
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
      return (name, Self.size(of: path), Int64(status.st_mtim.tv_sec))
    }
  }
}
