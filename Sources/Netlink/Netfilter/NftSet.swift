/// An element of a set: a value for each field of the set's key.
public struct NftElement: Hashable, Sendable {
  public var key: [NftValue]
  public var comment: String?

  public init(_ key: [NftValue], comment: String? = nil) {
    self.key = key
    self.comment = comment
  }

  public init(_ key: NftValue..., comment: String? = nil) {
    self.init(key, comment: comment)
  }
}

/// A named set (nft(8), SETS).
public struct NftSet: Hashable, Sendable {
  public var name: String
  /// The types of the fields of a key, more than one for a concatenation.
  public var key: [NftType]
  /// True if elements may be ranges and prefixes. They must not overlap: the kernel refuses that.
  public var isInterval: Bool
  public var elements: [NftElement]
  /// nil for a set that rules do not add to.
  public var growth: NftSetGrowth?
  public var comment: String?

  public init(
    _ name: String, key: [NftType], isInterval: Bool = false, elements: [NftElement] = [],
    growth: NftSetGrowth? = nil, comment: String? = nil
  ) {
    self.name = name
    self.key = key
    self.isInterval = isInterval
    self.elements = elements
    self.growth = growth
    self.comment = comment
  }
}

/// The room of a set that rules add elements to as packets pass (`flags dynamic`).
public struct NftSetGrowth: Hashable, Sendable {
  /// The most elements. Beyond them, a rule that adds one does not apply.
  public var size: UInt32
  /// True if elements end by themselves (`flags timeout`).
  public var expires: Bool

  public init(size: UInt32, expires: Bool = false) {
    self.size = size
    self.expires = expires
  }
}

/// The value of a map for a key.
public enum NftMapData: Hashable, Sendable {
  case verdict
  /// A value for each of these types, more than one for a concatenation.
  case values([NftType])
}

/// An element of a map.
public struct NftMapElement: Hashable, Sendable {
  public enum Target: Hashable, Sendable {
    case verdict(NftVerdict)
    case values([NftValue])
  }

  public var key: [NftValue]
  public var target: Target
  public var comment: String?

  public init(_ key: [NftValue], verdict: NftVerdict, comment: String? = nil) {
    self.key = key
    self.target = .verdict(verdict)
    self.comment = comment
  }

  public init(_ key: [NftValue], values: [NftValue], comment: String? = nil) {
    self.key = key
    self.target = .values(values)
    self.comment = comment
  }
}

/// A named map (nft(8), MAPS): a verdict map, or values for ``NftStatement/dnatMap(_:_:map:)``.
public struct NftMap: Hashable, Sendable {
  public var name: String
  public var key: [NftType]
  public var data: NftMapData
  public var isInterval: Bool
  public var elements: [NftMapElement]
  public var comment: String?

  public init(
    _ name: String, key: [NftType], data: NftMapData, isInterval: Bool = false, elements: [NftMapElement] = [],
    comment: String? = nil
  ) {
    self.name = name
    self.key = key
    self.data = data
    self.isInterval = isInterval
    self.elements = elements
    self.comment = comment
  }
}

/// The verdict on a packet.
public enum NftVerdict: Hashable, Sendable {
  case accept
  case drop
  /// Goes on in another chain, and comes back.
  case jump(String)
  /// Goes on in another chain, for good.
  case goto(String)
  case `return`

  /// As nft writes it.
  public var rendered: String {
    switch self {
    case .accept: "accept"
    case .drop: "drop"
    case .jump(let chain): "jump \(chain)"
    case .goto(let chain): "goto \(chain)"
    case .return: "return"
    }
  }
}
