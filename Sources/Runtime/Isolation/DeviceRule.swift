/// Devices that a service may make nodes of, read or write: `c 1:3 rwm`, as version 1 and Docker write it.
public struct DeviceRule: Hashable, Codable, Sendable {
  public enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
    case block = "b"
    case character = "c"
    case all = "a"
  }

  public struct Access: OptionSet, Hashable, Codable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    // BPF_DEVCG_ACC_… of linux/bpf.h.
    public static let make = Access(rawValue: 1)
    public static let read = Access(rawValue: 2)
    public static let write = Access(rawValue: 4)
    public static let all: Access = [.make, .read, .write]
  }

  public var kind: Kind
  /// Nil: any.
  public var major: UInt32?
  public var minor: UInt32?
  public var access: Access

  public init(_ kind: Kind, _ major: UInt32?, _ minor: UInt32?, _ access: Access) {
    self.kind = kind
    self.major = major
    self.minor = minor
    self.access = access
  }

  /// The rules of every service. It may make nodes of any device, if it has the capability. It may use null, full,
  /// zero, random, urandom, tty, console, ptmx and pseudo terminals.
  public static let standard: [DeviceRule] =
    [
      DeviceRule(.character, nil, nil, .make), DeviceRule(.block, nil, nil, .make),
      DeviceRule(.character, 136, nil, .all),
    ] + [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)].map { DeviceRule(.character, $0, $1, .all) }
}

extension DeviceRule: LosslessStringConvertible {
  /// `c 10:200 rwm`, `b 8:* r`, `a`
  public init?(_ description: String) {
    let parts = description.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
    guard let kind = parts.first.flatMap(Kind.init(rawValue:)) else { return nil }
    if kind == .all, parts.count == 1 {
      self.init(.all, nil, nil, .all)
      return
    }
    guard parts.count == 3, let access = Access(parts[2]) else { return nil }
    let numbers = parts[1].split(separator: ":", omittingEmptySubsequences: false)
    guard numbers.count == 2, let major = Self.number(numbers[0]), let minor = Self.number(numbers[1]) else {
      return nil
    }
    self.init(kind, major, minor, access)
  }

  /// Nil when it is none; a nil inside for `*`.
  private static func number(_ text: Substring) -> UInt32?? {
    if text == "*" { return .some(nil) }
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt32(text) else {
      return nil
    }
    return .some(number)
  }

  public var description: String {
    "\(kind.rawValue) \(major.map(String.init) ?? "*"):\(minor.map(String.init) ?? "*") \(access.description)"
  }
}

extension DeviceRule.Access: LosslessStringConvertible {
  /// Some of `r`, `w` and `m`, each once.
  public init?(_ description: String) {
    var access: Self = []
    for letter in description {
      let one: Self
      switch letter {
      case "r": one = .read
      case "w": one = .write
      case "m": one = .make
      default: return nil
      }
      guard access.insert(one).inserted else { return nil }
    }
    guard !access.isEmpty else { return nil }
    self = access
  }

  public var description: String {
    (contains(.read) ? "r" : "") + (contains(.write) ? "w" : "") + (contains(.make) ? "m" : "")
  }
}
