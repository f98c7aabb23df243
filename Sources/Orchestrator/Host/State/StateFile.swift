import Glibc
import JSON
import Kernel
import SystemPackage

/// A value in a JSON file.
package struct StateFile<Value: Codable>: Sendable {
  package let path: String

  package init(path: String) {
    self.path = path
  }

  /// - Returns: nil when there is no file, or its content was cut short or is no such value. State that cannot be read
  ///   is lost, and every reader must do without lost state.
  /// - Throws: also for a record of a newer version, which another program can read.
  package func read() throws(KernelError) -> Value? {
    guard let bytes = try Files.read(path) else { return nil }
    do {
      return try JSONReader.decode(VersionedText<Value>.self, from: bytes).value
    } catch let error as VersionedText<Value>.TooNew {
      throw KernelError(
        "read", path, errno: .notSupported,
        detail: "it is of version \(error.version), and this stack knows those up to \(RecordVersion.current)",
        remedy: "use the newer stack that wrote it")
    } catch {
      return nil
    }
  }

  /// True if the file is there and looks like a whole record. Costs less than to read it.
  package var looksWhole: Bool {
    let number = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { return false }
    let file = Descriptor(adopting: number)
    var status = stat()
    guard fstat(number, &status) == 0, status.st_size > 1 else { return false }
    var (first, last): (UInt8, UInt8) = (0, 0)
    guard pread(file.rawValue, &first, 1, 0) == 1, pread(file.rawValue, &last, 1, status.st_size - 1) == 1 else {
      return false
    }
    return first == UInt8(ascii: "{") && last == UInt8(ascii: "}")
  }

  package func write(_ value: Value, isDurable: Bool = false) throws(KernelError) {
    let text: [UInt8]
    do {
      text = try JSONWriter.encode(VersionedText(value))
    } catch {
      throw KernelError("encode", path, errno: .invalidArgument, detail: "\(error)")
    }
    try Files.replace(path, with: text, isDurable: isDurable)
  }
}
