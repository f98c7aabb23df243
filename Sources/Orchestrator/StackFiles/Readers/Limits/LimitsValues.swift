import Isolation
import Vocabulary

extension Field {
  var isMinusOne: Bool { node.scalar?.text == "-1" }

  /// A number of bytes. Nil for 0 and for -1, which Compose takes for no limit.
  func memory(atLeast least: UInt64 = 1) -> Located<UInt64>? {
    if isMinusOne { return nil }
    guard let text = nonEmptyText() else { return nil }
    guard let size = ByteSize.parse(text.value) else {
      if text.value.hasPrefix("-") {
        report(
          .badSize, "\"\(name)\": \"\(Self.shortened(text.value))\" is less than nothing",
          help: ["leave it out for no limit"])
      } else if text.value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
        report(
          .badSize, "\"\(name)\": \"\(Self.shortened(text.value))\" is more than the kernel can count",
          help: ["leave it out for no limit"])
      } else {
        reportSize(Self.shortened(text.value))
      }
      return nil
    }
    if size == 0 { return nil }
    guard size >= least else {
      report(
        .limitTooSmall, "\"\(name)\": \"\(text.value)\" is less than it takes to start a service",
        "at least \(least >> 20)m")
      return nil
    }
    return Located(size, text.span)
  }

  /// A number of processors, `1.5`, as microseconds of their time in each 100 ms. Nil for 0: no limit.
  func processorQuota() -> Located<UInt64>? {
    guard let text = nonEmptyText() else { return nil }
    let parts = text.value.split(separator: ".", omittingEmptySubsequences: false)
    let isNumber =
      (1...2).contains(parts.count) && text.value != "."
      && parts.allSatisfy { part in part.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    guard isNumber else {
      report(
        .badProcessorCount, "\"\(name)\": \"\(Self.shortened(text.value))\" is not a number of processors",
        help: ["write 0.5 for half of one's time, 2 for two"])
      return nil
    }
    let fraction = parts.count == 2 ? String(parts[1].prefix(5)) : ""
    let micro = UInt64(fraction + String(repeating: "0", count: 5 - fraction.count)) ?? 0
    guard let whole = parts[0].isEmpty ? 0 : UInt64(parts[0]), whole <= 8192 else {
      report(
        .badProcessorCount, "\"\(name)\": \"\(Self.shortened(text.value))\" is more than any host has",
        "at most 8192")
      return nil
    }
    let quota = whole * 100_000 + micro
    if quota == 0, text.value.utf8.allSatisfy({ $0 == 0x30 || $0 == 0x2E }) { return nil }
    guard quota >= 1000 else {
      report(
        .badProcessorCount, "\"\(name)\": \"\(Self.shortened(text.value))\" is less than the kernel can share out",
        "at least 0.01")
      return nil
    }
    return Located(quota, text.span)
  }

  func processorList() -> Located<String>? {
    guard let text = nonEmptyText() else { return nil }
    let list = text.value.filter { $0 != " " }
    guard ProcessorList(list) != nil else {
      report(
        .badProcessorList, "\"\(name)\": \"\(Self.shortened(text.value))\" is not a list of processors",
        help: ["write numbers and ranges, from 0: 0-3,6"])
      return nil
    }
    return Located(list, text.span)
  }

  /// 0 for any number, which is written as -1 or 0.
  func processCount() -> Located<UInt64>? {
    // PID_MAX_LIMIT (linux/threads.h)
    integer(in: -1...4_194_304)?.map { UInt64(max($0, 0)) }
  }
}
