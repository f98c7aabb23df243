import Fuzzing
import Testing
@testable import Logs

@Suite struct LogTimeTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000000000Z"),
      (1_475_713_029_669_794_202, "2016-10-06T00:17:09.669794202Z"),
      (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
      (951_868_799_999_999_999, "2000-02-29T23:59:59.999999999Z"),
      (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
      (-1, "1969-12-31T23:59:59.999999999Z"),
      (Int64.max, "2262-04-11T23:47:16.854775807Z"),
      (Int64.min, "1677-09-21T00:12:43.145224192Z"),
    ] as [(Int64, String)])
  func writesAndReadsRFC3339(nanoseconds: Int64, text: String) {
    #expect(LogTime(nanoseconds: nanoseconds).description == text)
    // The earliest of all has its fraction added after an overflow in seconds.
    if nanoseconds != .min { #expect(LogTime(rfc3339: text.utf8)?.nanoseconds == nanoseconds) }
  }

  @Test func everyDayOfFourHundredYearsComesBack() {
    for day in stride(from: Int64(-100_000), to: 106_000, by: TestExtent.size(1, sample: 11)) {
      let time = LogTime(nanoseconds: day * 86_400_000_000_000)
      #expect(LogTime(rfc3339: time.description.utf8) == time)
    }
  }

  @Test(arguments: [
    ("2024-05-01T12:00:00+02:00", "2024-05-01T10:00:00.000000000Z"),
    ("2024-05-01T12:00:00-00:30", "2024-05-01T12:30:00.000000000Z"),
    ("2024-05-01T12:00:00.5Z", "2024-05-01T12:00:00.500000000Z"),
    ("2024-05-01T12:00:00.1234567891234Z", "2024-05-01T12:00:00.123456789Z"),
  ])
  func readsOffsetsAndFractions(text: String, same: String) {
    #expect(LogTime(rfc3339: text.utf8)?.description == same)
  }

  @Test(arguments: [
    "", "2024", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2024-01-01T24:00:00Z",
    "2024-01-01T00:60:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zz",
    "9999-01-01T00:00:00Z",
    "2024-01-01T00:00:00+2:00", "２024-01-01T00:00:00Z",
  ])
  func refusesWhatIsNoTime(text: String) {
    #expect(LogTime(rfc3339: text.utf8) == nil)
  }

  @Test(
    arguments: [
      ("10m", 600_000_000_000), ("1h30m", 5_400_000_000_000), ("1.5h", 5_400_000_000_000), ("300ms", 300_000_000),
      ("1us", 1_000), ("1µs", 1_000), ("7ns", 7), ("0", 0), ("-2s", -2_000_000_000), (".5s", 500_000_000),
      ("1.s", 1_000_000_000),
    ] as [(String, Int64)])
  func readsGoDurations(text: String, nanoseconds: Int64) {
    #expect(LogTime.nanoseconds(goDuration: text) == nanoseconds)
  }

  @Test(arguments: [
    "", "s", "1", "1x", "1d", "1m2", ".s", "1..5s", "99999999999h", "9223372036s9223372036s", "- 1s", "1 s",
  ])
  func refusesWhatIsNoDuration(text: String) {
    #expect(LogTime.nanoseconds(goDuration: text) == nil)
  }

  @Test func readsArgumentsAsDockerDoes() {
    let now = LogTime(nanoseconds: 1_000_000_000_000)
    #expect(LogTime(argument: "10s", now: now)?.nanoseconds == 990_000_000_000)
    #expect(LogTime(argument: "-10s", now: now)?.nanoseconds == 1_010_000_000_000)
    #expect(LogTime(argument: "1700000000.25", now: now)?.nanoseconds == 1_700_000_000_250_000_000)
    #expect(LogTime(argument: "1970-01-01T00:00:01Z", now: now)?.nanoseconds == 1_000_000_000)
    let date = LogTime(argument: "2024-05-01", now: now)
    let time = LogTime(argument: "2024-05-01T00:00", now: now)
    #expect(date != nil && date == time)
    #expect(LogTime(argument: "yesterday", now: now) == nil)
    #expect(LogTime(argument: "2024-05-01T00:00x", now: now) == nil)
  }
}
