import StackFiles

/// The fate of a key, whatever its value is. Notes on values override it.
package struct KeyTreatment: Hashable, Sendable {
  package var outcome: ExportReport.Outcome
  /// The way in which it is carried, or the reason why it is not.
  package var text: String
  package var remedy: String?

  static func kept(_ text: String) -> KeyTreatment { KeyTreatment(outcome: .kept, text: text) }

  static func changed(_ text: String, do remedy: String? = nil) -> KeyTreatment {
    KeyTreatment(outcome: .changed, text: text, remedy: remedy)
  }

  static func lost(_ text: String, do remedy: String) -> KeyTreatment {
    KeyTreatment(outcome: .lost, text: text, remedy: remedy)
  }
}

/// The treatment of some keys of one kind of mapping.
package struct KeyExport: Sendable {
  /// The kind of mapping, as messages name it: `service`.
  package var subject: String
  package var names: [String]
  package var kubernetes: KeyTreatment
  package var swarm: KeyTreatment

  init(_ subject: String, _ names: String, _ kubernetes: KeyTreatment, _ swarm: KeyTreatment) {
    self.subject = subject
    self.names = names.split(separator: " ").map(String.init)
    (self.kubernetes, self.swarm) = (kubernetes, swarm)
  }

  package func treatment(for target: ExportTarget) -> KeyTreatment {
    switch target {
    case .kubernetes: kubernetes
    case .swarm: swarm
    }
  }
}

/// The treatment of every key that a stack file can have.
package enum ExportKeys {
  package static let table: [KeyExport] = stack + process + rights + limits + kernel + files + network + order + compose

  /// A key that the table does not have is lost: it has never been thought of.
  static func treatment(of key: UsedKey, for target: ExportTarget) -> KeyTreatment {
    entry(key.subject, key.name)?.treatment(for: target)
      ?? .lost("`stack export` does not know this key", do: "look for it in docs/beyond.md, or report this")
  }

  package static func entry(_ subject: String, _ name: String) -> KeyExport? {
    index["\(subject): \(name)"]
  }

  private static let index = Dictionary(
    table.flatMap { entry in entry.names.map { ("\(entry.subject): \($0)", entry) } },
    uniquingKeysWith: { first, _ in first })

  static let asInFile = KeyTreatment.kept("the same key")
  static let readHere = KeyTreatment.kept("read by `stack export` itself")
  static let withParent = KeyTreatment.kept("as the key around it")
  static let noEffect = KeyTreatment.kept("it has no effect in `stack` either")
}
