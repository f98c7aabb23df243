@testable import StackFiles

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
