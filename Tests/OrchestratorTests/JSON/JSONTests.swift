import FoundationEssentials
import Testing
@testable import JSON

/// The texts of Foundation's coders are the measure.
@Suite struct JSONTests {
  private enum Choice: Codable, Hashable {
    case none
    case some(Int, name: String)
  }

  private struct Sample: Codable, Hashable {
    var zeta = "a\"b\\/\n\r\t\u{8}\u{C}\u{0}\u{1F}\u{7F}é\u{2028}😀"
    var numbers = [0, 1, -2]
    var table: [String: [String: Int?]] = ["x": ["one": 1, "none": nil], "empty": [:]]
    var byNumber = [3: "c"]
    var nested: [[Choice]] = [[.none, .some(7, name: "n")], []]
    var choice = Choice.some(1, name: "k")
    var absent: Int?
    var duration = Duration.milliseconds(1500)
    var largest = UInt64.max
    var smallest = Int64.min
    var doubles = [1.5, 1_796_000_000, 1e300, 1e-7, -0.0, 0.1]
    var single: Float = 0.1
    var yes = true
    var keyÄ = 1
  }

  /// A value that writes a second container into its object, as records with a version do.
  private struct Versioned: Codable, Hashable {
    enum Key: String, CodingKey { case version }
    var sample = Sample()

    init() {}

    init(from decoder: any Decoder) throws {
      #expect(try decoder.container(keyedBy: Key.self).decode(Int.self, forKey: .version) == 2)
      sample = try Sample(from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
      try sample.encode(to: encoder)
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(2, forKey: .version)
    }
  }

  private static func foundation(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private static func text(_ value: some Encodable) throws -> String {
    String(decoding: try JSONWriter.encode(value), as: UTF8.self)
  }

  private static func read<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
    try JSONReader.decode(type, from: Array(text.utf8))
  }

  @Test func theTextIsFoundations() throws {
    #expect(try Self.text(Versioned()) == Self.foundation(Versioned()))
    #expect(try Self.text([Sample]()) == "[]")
    #expect(try Self.text(Choice.none) == Self.foundation(Choice.none))
    #expect(try Self.text(Int?.none) == "null")
  }

  @Test func whatIsWrittenIsReadByBoth() throws {
    let text = try JSONWriter.encode(Versioned())
    #expect(try JSONReader.decode(Versioned.self, from: text) == Versioned())
    #expect(try JSONDecoder().decode(Versioned.self, from: Data(text)) == Versioned())
  }

  @Test func everyCharacterIsWrittenAsFoundationWritesIt() throws {
    let characters = String(String.UnicodeScalarView((0..<0x3000).compactMap { Unicode.Scalar(UInt32($0)) }))
    let values = [characters, "\u{10FFFF}\u{FFFD}", String(repeating: "\0", count: 4096)]
    #expect(try Self.text(values) == Self.foundation(values))
    #expect(try JSONReader.decode([String].self, from: JSONWriter.encode(values)) == values)
  }

  @Test func membersAreFoundInAnyOrder() throws {
    let keys = (0..<200).map { "k\($0 * 37 % 200)" }
    let text = "{" + keys.map { "\"\($0)\": {\"a\": 1, \"\($0)\": \($0.count)}" }.joined(separator: " ,\n") + "}"
    let read = try Self.read([String: [String: Int]].self, text)
    #expect(read.count == 200)
    for key in keys { #expect(read[key] == ["a": 1, key: key.count]) }
  }

  @Test func formsThatOtherProgramsWriteAreRead() throws {
    #expect(try Self.read([Double].self, " [ 1,2.5e3 ,\t-0.5E-1\r\n] ") == [1, 2500, -0.05])
    #expect(try Self.read([Int].self, "[1.0, 1e3, -0]") == [1, 1000, 0])
    #expect(try Self.read([String].self, #"["\ud83d\ude00\u00e9\/\b"]"#) == ["😀é/\u{8}"])
    #expect(try Self.read([String: Int].self, #"{"\u0061b": 1}"#) == ["ab": 1])
    #expect(try Self.read([Int?].self, "[null, 1]") == [nil, 1])
  }

  @Test(arguments: [
    "", " ", "{", "}", "[1,]", "[,1]", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a" 1}"#, "{1:2}", "[1 2]", "1 2", "01", "-",
    "-01",
    "1.", ".5", "1e", "1e+", "nul", "truee", "\"a", #"["\"#, "[\"\t\"]", "[1]]", "\u{FEFF}[]", "NaN", "'a'", "[1}",
  ]) func whatIsNoJSONIsRefused(text: String) {
    #expect(throws: JSONFault.self) { try JSONTree(Array(text.utf8)) }
    #expect(throws: DecodingError.self) { try Self.read([Int].self, text) }
  }

  @Test(arguments: [#"["\ud800"]"#, #"["\ude00"]"#, #"["\u12g4"]"#, #"["\x"]"#, #"["\u+123"]"#])
  func badEscapesAreRefused(text: String) {
    #expect(throws: DecodingError.self) { try Self.read([String].self, text) }
  }

  @Test func bytesThatAreNoTextAreRefused() {
    #expect(throws: DecodingError.self) { try JSONReader.decode([String].self, from: [0x5B, 0x22, 0xFF, 0x22, 0x5D]) }
  }

  @Test func numbersThatDoNotFitAreRefused() {
    #expect(throws: DecodingError.self) { try Self.read([UInt8].self, "[256]") }
    #expect(throws: DecodingError.self) { try Self.read([UInt8].self, "[-1]") }
    #expect(throws: DecodingError.self) { try Self.read([Int].self, "[9223372036854775808]") }
    #expect(throws: DecodingError.self) { try Self.read([Int].self, "[0.5]") }
    #expect(throws: DecodingError.self) { try Self.read([Double].self, "[1e999]") }
    #expect(throws: EncodingError.self) { try Self.text([Double.infinity]) }
  }

  @Test func noTextIsTooDeepForTheStack() throws {
    let depth = 512
    #expect(throws: Never.self) {
      try JSONTree(Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8))
    }
    #expect(throws: JSONFault(reason: .depth, place: depth)) {
      try JSONTree(Array(String(repeating: "[", count: 1 << 20).utf8))
    }
  }

  @Test func errorsNameThePlace() throws {
    let text = #"{"list": [{"a": [1]}, {"a": [1], "b": ["x"]}]}"#
    let error = #expect(throws: DecodingError.self) { try Self.read([String: [[String: [Int]]]].self, text) }
    guard case .typeMismatch(_, let context) = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(context.codingPath.map(\.stringValue) == ["list", "1", "b", "0"])
    #expect(context.codingPath.map(\.intValue) == [nil, 1, nil, 0])
  }
}
