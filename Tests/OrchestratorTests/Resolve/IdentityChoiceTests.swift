import Testing
@testable import Intent
@testable import Resolve
@testable import StackFiles
@testable import Vocabulary

/// The services that get a user namespace of their own.
@Suite struct IdentityChoiceTests {
  private static let unmappable = "is on a file system without idmapped mounts"

  private func facts(_ change: (inout IdentityFacts) -> Void = { _ in }) -> HostFacts {
    var facts = HostFacts(pools: AddressAllocator.defaultPools)
    change(&facts.identities)
    return facts
  }

  private func service(_ keys: String, on facts: HostFacts, previous: DesiredStack? = nil) throws -> DesiredService {
    let text = "services: {a: {command: x\(keys.isEmpty ? "" : ", " + keys)}}\nvolumes: {data: {}}"
    return try #require(try resolve(text, on: facts, previous: previous).services.first)
  }

  @Test func theFileDecides() throws {
    #expect(try service("userns_mode: private", on: facts()).firstIdentity != nil)
    #expect(try service("userns_mode: host", on: facts()).firstIdentity == nil)
    #expect(try service("privileged: true", on: facts()).firstIdentity == nil)
  }

  @Test func whatCannotBeHadIsAnErrorWhereItWasAskedFor() throws {
    let obstacles: [(keys: String, change: (inout IdentityFacts) -> Void, says: String)] = [
      ("", { $0.refusal = "the kernel has no user namespaces" }, "the kernel has no user namespaces"),
      (
        "rootfs: /srv/nfs", { $0.unmappable["/srv/nfs"] = Self.unmappable },
        "root folder /srv/nfs is on a file system without idmapped mounts"
      ),
      ("volumes: ['/srv/nfs:/a']", { $0.unmappable["/srv/nfs"] = Self.unmappable }, "folder /srv/nfs is on"),
      (
        "volumes: ['data:/a']", { $0.unmappable["/var/lib/stack/web/volumes/data"] = Self.unmappable },
        "volume /var/lib/stack/web/volumes/data is on"
      ),
      (
        "",
        {
          $0.mapsTmpfs = false
          $0.unmappable["/var/lib/stack/web/host"] = Self.unmappable
        }, "a tmpfs has none before Linux 6.3"
      ),
    ]
    for (keys, change, says) in obstacles {
      let all = keys.isEmpty ? "" : ", " + keys
      let file = "services: {a: {command: x\(all), userns_mode: private}}\nvolumes: {data: {}}"
      let errors = stackErrors(file, facts(change))
      #expect(errors.count == 1)
      #expect(errors.first?.description.contains(says) == true, "\(errors)")
      #expect(errors.first?.remedy?.contains("userns_mode: host") == true)
    }
  }

  /// The files in such a folder belong to `nobody` inside the service, even for its root.
  @Test func aFolderOfAnIdBeyondThoseOfAServiceIsSaid() throws {
    func notes(_ keys: String) throws -> [String] {
      let file = try #require(load("services: {a: {command: x, volumes: ['/home/u:/home', '/srv:/srv']\(keys)}}").stack)
      var facts = IdentityFacts()
      facts.strangers = ["/home/u": 1_234_567]
      return facts.notes(for: file.services.map(\.self), in: StateFolders().stack("web"))
    }
    #expect(
      try notes("") == [
        "folder /home/u belongs to id 1234567, which is beyond the 65536 that a has: its users can do there what anybody can; "
          + "to let its root use it, write `userns_mode: host`"
      ])
    #expect(try notes(", userns_mode: host").isEmpty)
  }

  @Test func aTmpfsThatCannotBeMappedNeedsADisk() throws {
    let old = facts { $0.mapsTmpfs = false }
    #expect(try service("userns_mode: private", on: old).firstIdentity != nil)
  }

  @Test func aRangeIsRemembered() throws {
    let text = "services: {a: {command: x, userns_mode: private, scale: 2}}"
    let before = try resolve(text, on: facts())
    let after = try resolve(
      "services: {b: {command: x, userns_mode: private}, a: {command: x, userns_mode: private, scale: 3}}", on: facts(),
      previous: before)
    for name in ["a-1", "a-2"] {
      #expect(before.service(named: name)?.firstIdentity == after.service(named: name)?.firstIdentity)
    }
    #expect(Set(after.services.map(\.firstIdentity)).count == 4)
    // One that somebody else has meanwhile is given up, and the service made anew.
    let first = try #require(before.services.first?.firstIdentity)
    let moved = try resolve(text, on: facts { $0.taken = [first...first] }, previous: before)
    #expect(moved.services.first?.firstIdentity != first)
    #expect(
      moved.services.first?.difference(from: try #require(before.services.first), old: before, new: moved)
        == "userns_mode changed")
  }

  @Test func configShowsIt() throws {
    let stack = try #require(load("services: {a: {command: x, userns_mode: private}}").stack)
    #expect(stack.output.yaml.contains("userns_mode: private"))
  }
}

private func stackErrors(_ text: String, _ facts: HostFacts) -> [StackError] { obstacles(text, on: facts) }
