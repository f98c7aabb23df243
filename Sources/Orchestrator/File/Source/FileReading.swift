/// Where the files come from: the host, or a test's own list.
protocol FileReading {
  /// The whole content of a regular file.
  /// - Parameter limit: More bytes than this are refused, without reading them all.
  func read(_ path: String, limit: Int) throws(FileReadingError) -> [UInt8]
}

enum FileReadingError: Error, Hashable {
  case missing
  /// A folder, a FIFO, a socket, a device: the word for it.
  case notAFile(String)
  case tooLarge(limit: Int)
  /// What the kernel said.
  case refused(String)
}

/// Files in memory, by path.
struct FilesInMemory: FileReading {
  var files: [String: [UInt8]]

  init(_ files: [String: String]) {
    self.files = files.mapValues { Array($0.utf8) }
  }

  func read(_ path: String, limit: Int) throws(FileReadingError) -> [UInt8] {
    guard let bytes = files[path] else { throw .missing }
    guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
    return bytes
  }
}
