import CNetfilter
import Kernel
import Netfilter

/// An element in the kernel's terms.
struct NftEncodedElement {
  enum Target {
    case none
    case verdict(NftVerdict)
    case octets([UInt8])
  }

  var key: [UInt8]
  /// The greatest key of a concatenation with ranges.
  var keyEnd: [UInt8]?
  /// True if it only marks where the interval before it ends.
  var isIntervalEnd = false
  var target = Target.none
  var comment: String?

  /// No less than what it takes in a message: attribute headers, padding, data, a chain's name.
  var size: Int {
    var size = 96 + key.count + (keyEnd?.count ?? 0) + (comment?.utf8.count ?? 0)
    switch target {
    case .none: break
    case .octets(let octets): size += octets.count
    case .verdict(.jump(let chain)), .verdict(.goto(let chain)): size += chain.utf8.count
    case .verdict: break
    }
    return size
  }

  func add(to set: OpaquePointer) throws(KernelError) {
    let element = try nftnl(nftnl_set_elem_alloc())
    nftnl_set_elem_set(element, UInt16(NFTNL_SET_ELEM_KEY), key, UInt32(key.count))
    if let keyEnd {
      nftnl_set_elem_set(element, UInt16(NFTNL_SET_ELEM_KEY_END), keyEnd, UInt32(keyEnd.count))
    }
    if isIntervalEnd {
      nftnl_set_elem_set_u32(
        element, UInt16(NFTNL_SET_ELEM_FLAGS), UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue))
    }
    switch target {
    case .none: break
    case .octets(let octets):
      nftnl_set_elem_set(element, UInt16(NFTNL_SET_ELEM_DATA), octets, UInt32(octets.count))
    case .verdict(let verdict):
      nftnl_set_elem_set_u32(element, UInt16(NFTNL_SET_ELEM_VERDICT), verdict.code)
      if let chain = verdict.chain { nftnl_set_elem_set_str(element, UInt16(NFTNL_SET_ELEM_CHAIN), chain) }
    }
    if let comment {
      withUserData {
        nftnl_udata_put_strz($0, UInt8(NFTNL_UDATA_SET_ELEM_COMMENT.rawValue), comment)
      } _: {
        nftnl_set_elem_set(element, UInt16(NFTNL_SET_ELEM_USERDATA), $0, $1)
      }
    }
    nftnl_set_elem_add(set, element)
  }
}

extension NftVerdict {
  /// NF_* and NFT_* of the kernel, whose negative ones travel as two's complement.
  var code: UInt32 {
    switch self {
    case .drop: 0
    case .accept: 1
    case .jump: UInt32(bitPattern: -3)
    case .goto: UInt32(bitPattern: -4)
    case .return: UInt32(bitPattern: -5)
    }
  }

  var chain: String? {
    switch self {
    case .jump(let chain), .goto(let chain): chain
    case .accept, .drop, .return: nil
    }
  }
}

extension NftValue {
  /// True if it may stand for more than one value.
  var isInterval: Bool {
    switch self {
    case .prefix, .addresses, .ports, .neighbours: true
    default: false
    }
  }
}

extension [NftValue] {
  /// The least and the greatest octets of a concatenation; nil if it is not of the types.
  func bounds(_ types: [NftType]) -> (lower: [UInt8], upper: [UInt8])? {
    guard count == types.count else { return nil }
    var lower: [UInt8] = []
    var upper: [UInt8] = []
    for (value, type) in zip(self, types) {
      guard let bounds = value.bounds(type) else { return nil }
      let padding = [UInt8](repeating: 0, count: count == 1 ? 0 : type.paddedLength - type.length)
      lower += bounds.lower + padding
      upper += bounds.upper + padding
    }
    return (lower, upper)
  }
}

extension NftSet {
  /// The elements in the kernel's terms; nil if one is not of the set's type.
  func encodedElements() -> [NftEncodedElement]? {
    encode(elements, key, isInterval, \.key, \.comment) { _ in NftEncodedElement.Target.none }
  }
}

extension NftMap {
  /// The elements in the kernel's terms; nil if one is not of the map's types.
  func encodedElements() -> [NftEncodedElement]? {
    encode(elements, key, isInterval, \.key, \.comment) { element in
      switch (element.target, data) {
      case (.verdict(let verdict), .verdict):
        (verdict.chain?.utf8.count ?? 0) <= 255 ? .verdict(verdict) : nil
      case (.values(let values), .values(let types)):
        values.bounds(types).flatMap { $0.lower == $0.upper ? .octets($0.lower) : nil }
      default: nil
      }
    }
  }
}

private func encode<Element>(
  _ elements: [Element], _ types: [NftType], _ isInterval: Bool, _ key: (Element) -> [NftValue],
  _ comment: (Element) -> String?, target: (Element) -> NftEncodedElement.Target?
) -> [NftEncodedElement]? {
  var encoded: [NftEncodedElement] = []
  encoded.reserveCapacity(elements.count * (isInterval ? 2 : 1))
  for element in elements {
    let comment = comment(element)
    guard let bounds = key(element).bounds(types), let target = target(element), comment?.utf8.count ?? 0 <= 127,
      isInterval || bounds.lower == bounds.upper
    else { return nil }
    var first = NftEncodedElement(key: bounds.lower, target: target, comment: comment)
    if isInterval, types.count > 1 {
      first.keyEnd = bounds.upper
      encoded.append(first)
    } else {
      encoded.append(first)
      // An interval of one field ends before an element that says so, or with the last value there is.
      if isInterval, let end = successor(bounds.upper) {
        encoded.append(NftEncodedElement(key: end, isIntervalEnd: true))
      }
    }
  }
  return encoded
}

/// The number after one in network byte order; nil after the last.
private func successor(_ octets: [UInt8]) -> [UInt8]? {
  var next = octets
  for index in next.indices.reversed() {
    next[index] &+= 1
    if next[index] != 0 { return next }
  }
  return nil
}
