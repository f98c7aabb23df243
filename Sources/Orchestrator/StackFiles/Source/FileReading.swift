/// The source of files: the host, or a test's own list.
package protocol FileReading {
  /// The whole content of a regular file.
  /// - Parameter limit: More bytes than this are refused, without reading them all.
  func read(_ path: String, limit: Int) throws(FileReadingError) -> [UInt8]
}

package enum FileReadingError: Error, Hashable {
  case missing
  /// A folder, a FIFO, a socket, a device: the word for it.
  case notAFile(String)
  case tooLarge(limit: Int)
  /// The kernel refused it, with these words.
  case refused(String)
}
