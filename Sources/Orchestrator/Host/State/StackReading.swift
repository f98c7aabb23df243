import Intent
import Kernel

/// The records of a stack, each read once.
package struct StackReading: Sendable {
  /// Nil when there is no such stack, or its record and the copy of it are lost.
  package var desired: DesiredStack?
  package var statuses: [StackIndex.ServiceStatus] = []
  /// The records that cannot be read, each with what is wrong with it.
  package var damages: [String] = []
}

extension StackIndex {
  /// Reads all records of a stack.
  ///
  /// - Throws: also for a record of a newer version.
  package func read(_ name: String) throws(KernelError) -> StackReading {
    let folder = folders.stack(name)
    let record = StackRecord(folder)
    var reading = StackReading(desired: try record.readFile())
    let isWhole = reading.desired != nil
    if !isWhole {
      reading.desired = try record.read()
      // Before its services' folder is made, a stack that comes up has no record yet.
      if Files.exists(folder.services) || Files.exists(folder.intent) {
        reading.damages.append("\(folder.intent) \(Self.damage(of: folder.intent))")
      }
    }
    guard let desired = reading.desired else { return reading }
    // A command that is under way may not have written all of them yet.
    let isSettled = Files.exists(folder.settled)
    var records: [ServiceRecord] = []
    for service in desired.services {
      let paths = folder.service(service.name)
      let written = try StateFile<ServiceRecord>(path: paths.record).read()
      records.append(try self.record(written, of: service.name, in: name))
      guard isWhole else { continue }
      if written == nil { reading.damages += Self.damage(of: paths.record, paths, isSettled) }
      if !StateFile<ProcessContext>(path: paths.execContext).looksWhole {
        reading.damages += Self.damage(of: paths.execContext, paths, isSettled)
      }
    }
    reading.statuses = statuses(of: desired, records)
    return reading
  }

  /// The records of a stack that cannot be read, each with what is wrong with it.
  package func damages(of stack: String) throws(KernelError) -> [String] { try read(stack).damages }

  /// A service that was never made has no records.
  private static func damage(of path: String, _ paths: ServiceFolder, _ isSettled: Bool) -> [String] {
    guard Files.exists(paths.stdout), isSettled || Files.exists(path) else { return [] }
    return ["\(path) \(damage(of: path))"]
  }

  private static func damage(of path: String) -> String {
    guard Files.exists(path) else { return "is missing" }
    guard let text = try? Files.read(path) else { return "cannot be read" }
    return text.isEmpty ? "is empty" : "is damaged"
  }
}
