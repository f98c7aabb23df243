import Addresses
import Testing
@testable import Verify

/// Frames octet by octet: the expected ones were put together by Python's struct module.
@Suite struct ForgedFrameTests {
  private let token = (0..<16).map { UInt8($0) }
  private let sender = MACAddress(bits: 0x0200_0000_000A)
  private let receiver = MACAddress(bits: 0x0200_0000_000B)

  private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  private func end(_ text: String, _ port: UInt16) throws -> Endpoint {
    Endpoint(address: try address(text), port: port)
  }

  private func hexadecimal(_ packet: ForgedPacket, tags: [UInt16] = []) -> String {
    ForgedFrame(source: sender, destination: receiver, tags: tags, packet: packet).octets(carrying: token)
      .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test func datagrams() throws {
    #expect(
      hexadecimal(.datagram(from: try end("10.0.0.10", 4000), to: try end("10.0.0.11", 5353)))
        == "02000000000b02000000000a0800" + "4500002c00010000401166ac0a00000a0a00000b" + "0fa014e900188ee0"
        + "000102030405060708090a0b0c0d0e0f" + "0000")
    #expect(
      hexadecimal(.datagram(from: try end("fd00::a", 4000), to: try end("fd00::b", 5353)), tags: [0])
        == "02000000000b02000000000a" + "81000000" + "86dd" + "60000000001811ff"
        + "fd00000000000000000000000000000a" + "fd00000000000000000000000000000b" + "0fa014e90018a8de"
        + "000102030405060708090a0b0c0d0e0f")
  }

  @Test func openings() throws {
    #expect(
      hexadecimal(.opening(from: try end("10.0.0.10", 4000), to: try end("10.0.0.11", 80)))
        == "02000000000b02000000000a0800" + "4500003800010000400666ab0a00000a0a00000b"
        + "0fa00050000000010000000050022000338d0000" + "000102030405060708090a0b0c0d0e0f")
  }

  @Test func claims() throws {
    #expect(
      hexadecimal(
        .claim(address: try address("10.0.0.12"), at: sender, to: try address("10.0.0.11"), of: receiver))
        == "02000000000b02000000000a0806" + "0001080006040002" + "02000000000a0a00000c" + "02000000000b0a00000b"
        + "000102030405060708090a0b0c0d0e0f" + "0000")
    #expect(
      hexadecimal(.claim(address: try address("fd00::c"), at: sender, to: try address("fd00::b"), of: receiver))
        == "02000000000b02000000000a86dd" + "6000000000383aff" + "fd00000000000000000000000000000c"
        + "fd00000000000000000000000000000b" + "8800d61860000000" + "fd00000000000000000000000000000c"
        + "020102000000000a" + "0e03000102030405060708090a0b0c0d0e0f000000000000")
  }

  @Test func routers() throws {
    #expect(
      hexadecimal(
        .redirect(
          from: try address("10.0.0.10"), to: try address("10.0.0.11"), destination: try address("203.0.113.200")))
        == "02000000000b02000000000a0800" + "4500004000010000400166a80a00000a0a00000b" + "0501b8b40a00000a"
        + "4500002400010000401133f50a00000bcb0071c8" + "000102030405060708090a0b0c0d0e0f")
    #expect(
      hexadecimal(
        .routerAdvertisement(
          from: IPv6Address(high: 0xFE80_0000_0000_0000, low: 10), to: IPv6Address(high: 0xFF02_0000_0000_0000, low: 1))
      )
        == "02000000000b02000000000a86dd" + "6000000000283aff" + "fe80000000000000000000000000000a"
        + "ff020000000000000000000000000001" + "8600f5ca400000000000000000000000"
        + "0e03000102030405060708090a0b0c0d0e0f000000000000")
  }

  @Test func tunnels() throws {
    let inner = ForgedFrame(
      source: sender, destination: receiver,
      packet: .datagram(from: try end("10.0.0.10", 4000), to: try end("10.0.0.11", 5353)))
    #expect(
      hexadecimal(
        .tunnelled(inner, number: 42, from: try end("10.0.0.10", 4000), to: try end("10.0.0.1", 4789)))
        == "02000000000b02000000000a0800" + "4500006000010000401166820a00000a0a000001" + "0fa012b5004c9f1f"
        + "0800000000002a00" + "02000000000b02000000000a0800" + "4500002c00010000401166ac0a00000a0a00000b"
        + "0fa014e900188ee0" + "000102030405060708090a0b0c0d0e0f" + "0000")
  }

  /// A token may be anywhere in a received frame, and a frame may be cut off.
  @Test func tokensAreFoundWithinFrames() {
    let token = ProbeToken()
    let bytes = token.bytes(70_000)
    #expect(token.index(within: ([0, 1, bytes[0], 9] + bytes + [0, 0])[...]) == 70_000)
    #expect(token.index(within: ([bytes[0], bytes[1]] + bytes)[...]) == 70_000)
    #expect(token.index(within: bytes.dropLast()) == nil)
    #expect(token.index(within: []) == nil)
  }
}
