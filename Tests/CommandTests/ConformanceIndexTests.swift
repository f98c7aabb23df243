import CConformances
import Glibc
import Testing

/// The index of conformances beside the Swift runtime, which it answers for in a release.
@Suite struct ConformanceIndexTests {
  private typealias Lookup = @convention(c) (UnsafeRawPointer, UnsafeRawPointer) -> UnsafeRawPointer?
  /// A metadata accessor returns the metadata and its state in two registers, as C returns two words.
  private typealias Accessor = @convention(c) (Int) -> UnsafeRawPointer

  private let runtime: Lookup

  init() throws {
    let symbol = try #require(dlsym(nil, "swift_conformsToProtocol"))
    runtime = unsafeBitCast(symbol, to: Lookup.self)
  }

  @Test func eachAnswerIsTheRuntimes() throws {
    var answered = 0
    let count = stack_conformance_count()
    #expect(count > 1000)
    for index in 0..<count {
      let conformance = stack_conformance_at(index)
      guard let type = conformance.type, let metadata = Self.metadata(describedBy: type) else { continue }
      let `protocol` = try #require(conformance.protocol)
      guard let found = stack_conformance(metadata, `protocol`) else { continue }
      answered += 1
      #expect(found == runtime(metadata, `protocol`), "conformance \(index)")
    }
    // Nearly all types are structures and enumerations without parameters.
    #expect(answered > count / 2)
  }

  @Test func aTypeThatDoesNotConformIsLeftToTheRuntime() throws {
    let index = try #require((0..<stack_conformance_count()).first { stack_conformance_at($0).type != nil })
    let `protocol` = try #require(stack_conformance_at(index).protocol)
    #expect(stack_conformance(Self.pointer(to: Self.Plain.self), `protocol`) == nil)
  }

  @Test func aConditionalConformanceIsLeftToTheRuntime() throws {
    let marked = try #require(Self.conformance(of: Pair<Marked>.self))
    #expect(stack_conformance(Self.pointer(to: Pair<Marked>.self), marked) == nil)
    #expect(stack_conformance(Self.pointer(to: Marked.self), marked) != nil)
    #expect(runtime(Self.pointer(to: Pair<Marked>.self), marked) != nil)
    #expect(runtime(Self.pointer(to: Pair<Int>.self), marked) == nil)
  }

  @Test func aGenericTypeHasTheTableOfItsArguments() throws {
    let type = Self.pointer(to: Box<Int>.self)
    let counted = try #require(Self.conformance(of: Box<Int>.self))
    let found = try #require(stack_conformance(type, counted))
    #expect(found == runtime(type, counted))
  }

  @Test func aClassIsLeftToTheRuntime() throws {
    let marked = try #require(Self.conformance(of: Pair<Marked>.self))
    #expect(stack_conformance(Self.pointer(to: Object.self), marked) == nil)
    #expect(runtime(Self.pointer(to: Object.self), marked) != nil)
  }

  private struct Plain {}

  /// nil for classes and for types with parameters. Flags, kind and accessor stand in the first words of a context descriptor.
  private static func metadata(describedBy descriptor: UnsafeRawPointer) -> UnsafeRawPointer? {
    let flags = descriptor.load(as: UInt32.self)
    let (isGeneric, kind) = (flags & 0x80 != 0, flags & 0x1F)
    guard !isGeneric, kind == 17 || kind == 18 else { return nil }
    let field = descriptor + 12
    let accessor = field + Int(field.load(as: Int32.self))
    return unsafeBitCast(accessor, to: Accessor.self)(0)
  }

  private static func pointer(to type: Any.Type) -> UnsafeRawPointer { unsafeBitCast(type, to: UnsafeRawPointer.self) }

  /// The protocol of the only conformance that a type of this file has.
  private static func conformance(of type: Any.Type) -> UnsafeRawPointer? {
    let descriptor = pointer(to: type).load(fromByteOffset: 8, as: UnsafeRawPointer.self)
    return (0..<stack_conformance_count()).lazy.map { stack_conformance_at($0) }
      .first { $0.type == descriptor }?.protocol
  }
}

private protocol Mark {}
private struct Marked: Mark {}
private struct Pair<Element> {}
extension Pair: Mark where Element: Mark {}
private final class Object: Mark {}
private protocol Counted {
  associatedtype Item
  var item: Item? { get }
}
private struct Box<Item>: Counted {
  var item: Item?
}
