/// One call that the supervisor answers, as varlink knows it: a name, parameters and a reply (https://varlink.org).
package protocol ControlMethod {
  /// The full name: `io.stack.Supervisor.Status`.
  static var name: String { get }
  associatedtype Parameters: Codable & Sendable
  associatedtype Reply: Codable & Sendable
}

/// The parameters or the reply of a method that has none: `{}`.
package struct Nothing: Codable, Hashable, Sendable {
  package init() {}
}

/// An error as it goes over the wire: `{"error": name, "parameters": {"message": message}}`.
package struct ControlFailure: Error, Hashable, Sendable {
  /// A full name: `io.stack.NoSuchService`.
  let name: String
  /// The error and its remedy, for a person.
  let message: String

  init(_ name: String, _ message: String) {
    self.name = name
    self.message = message
  }
}

extension ControlFailure {
  static func methodNotFound(_ method: String) -> ControlFailure {
    ControlFailure("org.varlink.service.MethodNotFound", "no method \(method)")
  }

  static func invalidParameter(_ message: String) -> ControlFailure {
    ControlFailure("org.varlink.service.InvalidParameter", message)
  }

  static func expectedMore(_ method: String) -> ControlFailure {
    ControlFailure("org.varlink.service.ExpectedMore", "\(method) has more than one reply: call it with \"more\": true")
  }

  static func invalidMessage(_ message: String) -> ControlFailure {
    ControlFailure("io.stack.InvalidMessage", message)
  }

  static func notPermitted(_ message: String) -> ControlFailure {
    ControlFailure("io.stack.NotPermitted", message)
  }

  static func busy(_ message: String) -> ControlFailure {
    ControlFailure("io.stack.Busy", message)
  }

  static func timedOut(_ message: String) -> ControlFailure {
    ControlFailure("io.stack.TimedOut", message)
  }

  static func internalError(_ message: String) -> ControlFailure {
    ControlFailure("io.stack.InternalError", message)
  }
}

extension ControlFailure: CustomStringConvertible {
  package var description: String { "\(message) (\(name))" }
}
