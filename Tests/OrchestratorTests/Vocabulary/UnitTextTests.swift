import Testing
@testable import Vocabulary

/// Rates and shares as people write them.
@Suite struct UnitTextTests {
  @Test(arguments: [
    ("10mbit", 10_000_000 as UInt64), ("64kbit", 64000), ("1.5gbit", 1_500_000_000), ("2000bit", 2000),
    ("10Mbit", 10_000_000), ("1tbit", 1_000_000_000_000), ("0.5mbit", 500_000),
  ])
  func rates(_ text: String, _ bits: UInt64) throws {
    #expect(try BitRate(parsing: text).bitsPerSecond == bits)
  }

  @Test func refusedRates() {
    func problem(_ text: String) -> String {
      do {
        return "\(try BitRate(parsing: text))"
      } catch {
        return "\(error)"
      }
    }
    #expect(problem("10") == "missingUnit")
    #expect(problem("") == "malformed")
    #expect(problem("-1mbit") == "malformed")
    #expect(problem("1.2.3mbit") == "malformed")
    #expect(problem("mbit") == "malformed")
    #expect(problem("10mbps") == #"octets(bits: "10mbit")"#)
    #expect(problem("10mib") == #"unknownUnit("mib")"#)
    #expect(problem("999bit") == "outOfRange")
    #expect(problem("2tbit") == "outOfRange")
    #expect(problem("99999999999999999999mbit") == "malformed")
    #expect(problem("18446744073709551615tbit") == "outOfRange")
  }

  @Test func ratesAreWrittenAsTheyAreRead() throws {
    for text in ["10mbit", "1500mbit", "64kbit", "1001bit", "1tbit"] {
      #expect("\(try BitRate(parsing: text))" == text)
    }
    #expect("\(try BitRate(parsing: "1.5gbit"))" == "1500mbit")
  }

  @Test(arguments: [
    ("1%", 10_000 as UInt32), ("0.05%", 500), ("100%", 1_000_000), ("0%", 0), ("0.0001%", 1), ("12.3450%", 123_450),
  ])
  func shares(_ text: String, _ parts: UInt32) throws {
    #expect(try Share(parsing: text).partsPerMillion == parts)
  }

  @Test func refusedShares() {
    func problem(_ text: String) -> String {
      do {
        return "\(try Share(parsing: text))"
      } catch {
        return "\(error)"
      }
    }
    #expect(problem("1") == "missingUnit")
    #expect(problem("10") == "missingUnit")
    #expect(problem("%") == "malformed")
    #expect(problem("101%") == "tooLarge")
    #expect(problem("100.1%") == "tooLarge")
    #expect(problem("0.00001%") == "tooFine")
    #expect(problem("one%") == "malformed")
    #expect(problem("1.%") == "malformed")
  }

  @Test func sharesAreWrittenAsTheyAreRead() throws {
    for text in ["1%", "0.05%", "100%", "0.0001%", "12.345%"] { #expect("\(try Share(parsing: text))" == text) }
  }
}
