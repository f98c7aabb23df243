import JSON

/// The JSON of the messages, in the shapes that varlink gives them.
enum ControlMessage {
  /// The members of a call besides its parameters.
  struct Envelope: Decodable {
    let method: String
    let more: Bool?
    let oneway: Bool?
    let upgrade: Bool?
  }

  struct Call<Parameters: Encodable>: Encodable {
    let method: String
    let parameters: Parameters
    let more: Bool?
  }

  struct CallParameters<Parameters: Decodable>: Decodable {
    let parameters: Parameters
  }

  private struct AbsentParameters: Decodable {
    let parameters: Nothing?
  }

  struct Reply<Parameters: Encodable>: Encodable {
    let parameters: Parameters
    let continues: Bool?
  }

  struct ReplyEnvelope: Decodable {
    let error: String?
    let continues: Bool?
  }

  struct ErrorText: Codable {
    let message: String?
  }

  struct ErrorReply: Encodable {
    let error: String
    let parameters: ErrorText
  }

  /// A message's bytes with the NUL that ends it.
  static func encode(_ message: some Encodable) throws -> [UInt8] {
    // JSON writes NUL in strings as \u0000, so this one is the only one.
    try JSONWriter.encode(message) + [0]
  }

  static func encode(_ failure: ControlFailure) -> [UInt8] {
    let reply = ErrorReply(error: failure.name, parameters: ErrorText(message: failure.message))
    // Two strings always encode; if they should not, a reply without text is better than none.
    return (try? encode(reply)) ?? Array("{\"error\":\"io.stack.InternalError\"}\0".utf8)
  }

  /// A call's parameters; absent or null parameters are `{}`.
  static func decodeParameters<Parameters: Decodable>(_ type: Parameters.Type, from text: [UInt8]) throws -> Parameters
  {
    do {
      return try JSONReader.decode(CallParameters<Parameters>.self, from: text).parameters
    } catch {
      guard let absent = try? JSONReader.decode(AbsentParameters.self, from: text), absent.parameters == nil else {
        throw error
      }
      return try JSONReader.decode(Parameters.self, from: Array("{}".utf8))
    }
  }

  /// A decoding error in one line, with the place in the message.
  static func explain(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    let context: DecodingError.Context
    var what: String
    switch error {
    case .keyNotFound(let key, let found): (context, what) = (found, "\(key.stringValue) is missing")
    case .valueNotFound(_, let found): (context, what) = (found, found.debugDescription)
    case .typeMismatch(_, let found): (context, what) = (found, found.debugDescription)
    case .dataCorrupted(let found): (context, what) = (found, found.debugDescription)
    @unknown default: return "\(error)"
    }
    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
    if !path.isEmpty { what += " (at \(path.drop { $0 == "." }))" }
    return what
  }
}
