/// The octets of a message, or of a part of it. (In this module `Span` is a place in a stack file.)
package typealias Octets = Swift.Span<UInt8>

/// Reading a DNS message that may be anything: each read says nil where the message ends before it does.
extension Swift.Span where Element == UInt8 {
  package func octet(at position: Int) -> UInt8? {
    position >= 0 && position < count ? self[position] : nil
  }

  package func number16(at position: Int) -> UInt16? {
    guard position >= 0, position <= count - 2 else { return nil }
    return UInt16(self[position]) << 8 | UInt16(self[position + 1])
  }

  /// The end of the name that begins at `start`; nil when it is no name.
  ///
  /// A pointer (RFC 1035, 4.1.4) must lead to before the place where its part of the name began. So there is an end to
  /// it, and all labels together take 255 octets at most.
  func endOfName(at start: Int) -> Int? {
    var (position, partStart, length) = (start, start, 0)
    var end: Int?
    while let octet = octet(at: position) {
      switch octet & 0xC0 {
      case 0x00:
        length += Int(octet) + 1
        guard length <= MessageLimit.name else { return nil }
        if octet == 0 { return end ?? position + 1 }
        position += Int(octet) + 1
      case 0xC0:
        guard let pointer = number16(at: position) else { return nil }
        let target = Int(pointer & 0x3FFF)
        guard target >= MessageLimit.header, target < partStart else { return nil }
        if end == nil { end = position + 2 }
        (position, partStart) = (target, target)
      default:
        return nil
      }
    }
    return nil
  }

  /// The end of a name without pointers.
  func endOfPlainName(at start: Int) -> Int? {
    var position = start
    while let octet = octet(at: position), octet <= UInt8(MessageLimit.label) {
      position += Int(octet) + 1
      guard position - start <= MessageLimit.name else { return nil }
      if octet == 0 { return position }
    }
    return nil
  }
}

extension UInt8 {
  /// Names are compared without regard to the case of ASCII letters (RFC 4343).
  package var foldedCase: UInt8 { 0x41 <= self && self <= 0x5A ? self | 0x20 : self }
}
