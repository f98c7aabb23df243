import FoundationEssentials
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
  package func read() throws(KernelError) -> Value? {
    guard let bytes = try Files.read(path) else { return nil }
    return try? JSONDecoder().decode(Value.self, from: Data(bytes))
  }

  package func write(_ value: Value, isDurable: Bool = false) throws(KernelError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data: Data
    do {
      data = try encoder.encode(value)
    } catch {
      throw KernelError("encode", path, errno: .invalidArgument, detail: "\(error)")
    }
    try Files.replace(path, with: [UInt8](data), isDurable: isDurable)
  }
}
