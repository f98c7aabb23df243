import CNetfilter

/// The last touch on encoded messages before they leave: what only the sending socket knows.
enum Outgoing {
  /// NLM_F_DUMP: the macro is an expression that Swift does not import.
  static let dump = UInt16(NLM_F_ROOT) | UInt16(NLM_F_MATCH)

  /// Numbers messages from a first sequence number on, and adds flags to each.
  ///
  /// - Parameters:
  ///   - bytes: Whole messages.
  ///   - starts: Where in the bytes each message begins.
  ///   - lastFlags: Flags for the last message alone.
  static func stamp(
    _ bytes: [UInt8], _ starts: [Int], first: UInt32, flags: UInt16, lastFlags: UInt16 = 0
  ) -> [UInt8] {
    var bytes = bytes
    for (index, start) in starts.enumerated() where start + MessageHeader.size <= bytes.count {
      let last = index == starts.count - 1 ? lastFlags : 0
      let flags = (UInt16(bytes[start + 6]) | UInt16(bytes[start + 7]) << 8) | flags | last
      bytes[start + 6] = UInt8(truncatingIfNeeded: flags)
      bytes[start + 7] = UInt8(truncatingIfNeeded: flags >> 8)
      let sequence = first + UInt32(truncatingIfNeeded: index)
      for octet in 0..<4 { bytes[start + 8 + octet] = UInt8(truncatingIfNeeded: sequence >> (8 * UInt32(octet))) }
    }
    return bytes
  }
}
