import Addresses
import SystemPackage

/// Requests to rtnetlink, encoded one after another, that ``NetlinkSocket/apply(_:)`` sends in few calls.
///
/// The kernel takes the messages of one call in their order, and goes on after one that it refused: whoever appends what
/// depends on an earlier request need not look in between, and whoever undoes a failed batch undoes all of it.
public struct RouteBatch: Sendable {
  /// An answer other than success that a request is content with.
  public enum Tolerance: Sendable {
    /// Every refusal is an error.
    case none
    /// The object to be made may exist (EEXIST).
    case existing
    /// The object to be changed or removed may be gone (ENODEV, ENOENT, ESRCH, ENXIO, EADDRNOTAVAIL).
    case gone
    /// This kernel may lack the feature that is tried.
    case everything

    func accepts(_ errno: Errno) -> Bool {
      switch self {
      case .none: false
      case .everything: true
      case .existing: errno == .fileExists
      case .gone:
        switch errno {
        case .noSuchDevice, .noSuchFileOrDirectory, .noSuchProcess, .noSuchAddressOrDevice, .addressNotAvailable: true
        default: false
        }
      }
    }
  }

  /// The subject of a message. It is put into words only if the message is refused, since most never are.
  enum Subject: Sendable {
    case name(String)
    case link(LinkReference)
    case group(UInt32)
    case address(IPAddress)
    case interfaceAddress(InterfaceAddress)
    case prefix(IPPrefix)
    case hardware(MACAddress)
    /// A queue discipline, by its kind.
    case queue(String)

    var words: String {
      switch self {
      case .name(let name): name
      case .link(let link): link.description
      case .group(let group): "link group \(group)"
      case .address(let address): address.description
      case .interfaceAddress(let address): address.description
      case .prefix(let prefix): prefix.description
      case .hardware(let address): address.description
      case .queue(let kind): "a \(kind) queue"
      }
    }
  }

  /// The properties of a message beside its octets.
  struct Envelope: Sendable {
    var range: Range<Int>
    var action: String
    var subject: Subject
    var tolerance: Tolerance
    var isMalformed: Bool
  }

  private(set) var writer = MessageWriter()
  private(set) var envelopes: [Envelope] = []

  public init() {}

  /// The number of requests in it.
  public var count: Int { envelopes.count }
  public var isEmpty: Bool { envelopes.isEmpty }

  /// Makes room for so many requests.
  public mutating func reserveCapacity(_ count: Int) {
    envelopes.reserveCapacity(count)
    writer.reserve(count * 128)
  }

  /// Empties it and keeps its memory.
  public mutating func removeAll() {
    writer.removeAll()
    envelopes.removeAll(keepingCapacity: true)
  }

  /// Appends one message.
  ///
  /// - Parameters:
  ///   - action: What it does, as it follows "cannot" in an error. A literal, so that a batch allocates nothing for it.
  ///   - subject: What it does that to.
  mutating func append(
    _ action: String, _ subject: Subject, tolerating tolerance: Tolerance, type: Int, flags: Int32,
    _ body: (inout MessageWriter) -> Void
  ) {
    writer.begin(type: UInt16(truncatingIfNeeded: type), flags: UInt16(truncatingIfNeeded: flags))
    body(&writer)
    let range = writer.end()
    envelopes.append(
      Envelope(
        range: range, action: action, subject: subject, tolerance: tolerance, isMalformed: writer.isMalformed))
  }
}
