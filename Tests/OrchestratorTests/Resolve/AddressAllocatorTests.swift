import Testing
@testable import Addresses
@testable import Resolve

@Suite struct AddressAllocatorTests {
  private static func allocator(_ pool: String, _ taken: String...) throws -> AddressAllocator {
    AddressAllocator(
      pools: [try #require(IPv4Prefix(pool))],
      taken: try taken.map { AddressAllocator.Taken(prefix: try #require(IPv4Prefix($0)), user: $0) })
  }

  private static func take(_ allocator: inout AddressAllocator, _ hosts: Int = 1) -> String? {
    allocator.subnet(hosts: hosts, for: "test").map { "\($0)" }
  }

  @Test func theDefaultPoolsAreThePrivateRanges() {
    #expect(
      AddressAllocator.defaultPools.map(\.description) == [
        "10.208.0.0/12", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
      ])
  }

  @Test func aPoolThatIsTakenLeavesTheNext() throws {
    func chosen(_ taken: String...) throws -> String? {
      var allocator = AddressAllocator(
        pools: AddressAllocator.defaultPools,
        taken: try taken.map { AddressAllocator.Taken(prefix: try #require(IPv4Prefix($0)), user: $0) })
      return Self.take(&allocator)
    }
    #expect(try chosen("10.0.0.0/8") == "172.16.0.0/24")
    #expect(try chosen("10.0.0.0/8", "172.16.0.0/12") == "192.168.0.0/24")
    #expect(try chosen("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16") == "100.64.0.0/24")
    #expect(try chosen("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10") == nil)
  }

  @Test func subnetsAreHandedOutInOrder() throws {
    var allocator = try Self.allocator("10.208.0.0/12")
    #expect(Self.take(&allocator) == "10.208.0.0/24")
    #expect(Self.take(&allocator) == "10.208.1.0/24")
    #expect(Self.take(&allocator, 1000) == "10.208.4.0/22")
    #expect(Self.take(&allocator) == "10.208.2.0/24")
    #expect(allocator.user(of: try #require(IPv4Prefix("10.208.4.0/30")))?.user == "test")
  }

  @Test(arguments: [
    // Narrower than what is asked for, at its beginning and at its end; wider; the same; several; all around.
    ("10.208.0.1/32", "10.208.1.0/24"), ("10.208.0.255/32", "10.208.1.0/24"), ("10.208.0.0/16", "10.209.0.0/24"),
    ("10.208.0.0/24", "10.208.1.0/24"), ("10.0.0.0/9", "10.208.0.0/24"),
  ])
  func whatIsTakenIsSteppedOver(taken: String, chosen: String) throws {
    var allocator = try Self.allocator("10.208.0.0/12", taken)
    #expect(Self.take(&allocator) == chosen)
  }

  @Test func aPoolIsUsedUpExactly() throws {
    var allocator = try Self.allocator("10.0.0.0/22", "10.0.1.0/24")
    #expect(
      [Self.take(&allocator), Self.take(&allocator), Self.take(&allocator)] == [
        "10.0.0.0/24", "10.0.2.0/24", "10.0.3.0/24",
      ])
    #expect(Self.take(&allocator) == nil)
    var covered = try Self.allocator("10.0.0.0/22", "0.0.0.0/0")
    #expect(Self.take(&covered) == nil)
    var narrow = try Self.allocator("10.0.0.0/22")
    #expect(Self.take(&narrow, 1021) == "10.0.0.0/22")
    narrow = try Self.allocator("10.0.0.0/22")
    #expect(Self.take(&narrow, 1022) == nil)
  }

  @Test func theEndOfAllAddressesIsNoEndOfTheWorld() throws {
    var last = try Self.allocator("255.255.255.0/24")
    #expect(Self.take(&last) == "255.255.255.0/24")
    #expect(Self.take(&last) == nil)
    var everything = try Self.allocator("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3", "224.0.0.0/4")
    #expect(Self.take(&everything) == "240.0.0.0/24")
    var half = try Self.allocator("0.0.0.0/0", "0.0.0.0/1")
    #expect(Self.take(&half, 1 << 30) == "128.0.0.0/1")
    #expect(Self.take(&half, .max) == nil)
  }

  @Test func aNarrowPoolIsOneSubnet() throws {
    var allocator = try Self.allocator("10.0.0.64/26")
    #expect(Self.take(&allocator, 61) == "10.0.0.64/26")
    #expect(Self.take(&allocator) == nil)
    var small = try Self.allocator("10.0.0.64/26")
    #expect(Self.take(&small, 62) == nil)
    for pool in ["10.0.0.0/31", "10.0.0.0/32"] {
      var none = try Self.allocator(pool)
      #expect(Self.take(&none) == nil)
    }
  }

  @Test(arguments: [(0, 24), (1, 24), (253, 24), (254, 23), (509, 23), (510, 22), (10_000, 18)])
  func aSubnetIsAsWideAsItsServicesNeed(hosts: Int, length: Int) {
    #expect(AddressAllocator.prefixLength(hosts: hosts) == length)
  }
}

@Suite struct HostAddressesTests {
  private static func addresses(
    _ subnet: String, within range: String? = nil, reserved: [String] = []
  ) throws -> HostAddresses {
    HostAddresses(
      subnet: try #require(IPv4Prefix(subnet)), within: range.flatMap { IPv4Prefix($0) },
      reserved: reserved.compactMap { IPv4Address($0) })
  }

  private static func all(_ addresses: consuming HostAddresses) -> [String] {
    var addresses = addresses
    var taken: [String] = []
    while taken.count < 1000, let next = addresses.take() { taken.append("\(next)") }
    return taken
  }

  @Test func theNetworksOwnAddressAndBroadcastAreNotForServices() throws {
    #expect(Self.all(try Self.addresses("10.0.0.0/30", reserved: ["10.0.0.1"])) == ["10.0.0.2"])
    #expect(Self.all(try Self.addresses("10.0.0.0/24")).count == 254)
    #expect(Self.all(try Self.addresses("255.255.255.248/29")).last == "255.255.255.254")
    #expect(Self.all(try Self.addresses("0.0.0.0/29")).first == "0.0.0.1")
  }

  /// RFC 3021.
  @Test func bothAddressesOfANarrowSubnetAreForServices() throws {
    #expect(Self.all(try Self.addresses("10.0.0.0/31")) == ["10.0.0.0", "10.0.0.1"])
    #expect(Self.all(try Self.addresses("10.0.0.0/31", reserved: ["10.0.0.0"])) == ["10.0.0.1"])
  }

  @Test(arguments: ["10.0.0.7/32", "0.0.0.0/32", "255.255.255.255/32"])
  func whereThereIsNoRoomNobodyGetsOne(subnet: String) throws {
    #expect(Self.all(try Self.addresses(subnet)).isEmpty)
    var addresses = try Self.addresses(subnet)
    let isTaken = addresses.take(try #require(IPv4Prefix(subnet)).network)
    #expect(!isTaken)
  }

  @Test func allAddressesAreASubnetToo() throws {
    var addresses = try Self.addresses("0.0.0.0/0")
    let first = addresses.take()
    #expect(first.map { "\($0)" } == "0.0.0.1")
  }

  @Test func aRangeLimitsWhatIsHandedOut() throws {
    #expect(Self.all(try Self.addresses("10.0.0.0/24", within: "10.0.0.4/31")) == ["10.0.0.4", "10.0.0.5"])
    #expect(Self.all(try Self.addresses("10.0.0.0/29", within: "10.0.0.4/30")) == ["10.0.0.4", "10.0.0.5", "10.0.0.6"])
    #expect(Self.all(try Self.addresses("10.0.0.0/24", within: "10.0.1.0/30")).isEmpty)
    #expect(Self.all(try Self.addresses("255.255.255.0/24", within: "255.255.255.252/30")).count == 3)
  }

  @Test func anAddressIsGivenOnce() throws {
    var addresses = try Self.addresses("10.0.0.0/29", reserved: ["10.0.0.1"])
    let kept = try #require(IPv4Address("10.0.0.3"))
    let (gateway, outside) = (try #require(IPv4Address("10.0.0.1")), try #require(IPv4Address("10.0.1.3")))
    let answers = [kept, kept, gateway, outside].map { addresses.take($0) }
    #expect(answers == [true, false, false, false])
    #expect(Self.all(addresses) == ["10.0.0.2", "10.0.0.4", "10.0.0.5", "10.0.0.6"])
  }
}
