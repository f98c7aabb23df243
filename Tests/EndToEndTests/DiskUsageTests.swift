import Foundation
import Glibc
import Testing

/// `stack system df` and `stack system prune`.
@Suite(.enabled(if: TestBuilds.hasTools, "busybox is not installed: tools/setup --tests"))
struct DiskUsageTests {
  private func rows(_ host: ThrowawayHost) throws -> [String: [String: String]] {
    var rows: [String: [String: String]] = [:]
    for line in try host.succeed("stack", "system", "df", "--format", "json").split(separator: "\n") {
      let row = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
      rows[row["Type"] ?? ""] = row
    }
    return rows
  }

  @Test func itCountsWhatThereIsAndWhatNothingNeeds() throws {
    try TestBuilds.with { host in
      try host.built("FROM base\nRUN --mount=type=cache,target=/c dd if=/dev/zero of=/c/big bs=1M count=3; touch /one")
      try host.built("FROM base\nRUN dd if=/dev/zero of=/big bs=1M count=5", "y")
      try host.up(
        """
        services:
          web:
            image: x
            command: [sh, -c, "dd if=/dev/zero of=/w bs=1M count=2; exec sleep 1000"]
            volumes: ["d:/d"]
        volumes: {d: {}}
        """, named: "s")
      #expect(
        try host.eventually { try host.run("stack", "exec", "web", "test", "-e", "/w").status == 0 })
      try host.succeed("stack", "exec", "web", "dd", "if=/dev/zero", "of=/d/v", "bs=1M", "count=1")
      let table = try host.succeed("stack", "system", "df").split(separator: "\n").map(String.init)
      #expect(
        table.first?.split(separator: " ").map(String.init) == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"])
      #expect(table.dropFirst().map { $0.prefix(10) } == ["Images    ", "Containers", "Local Volu", "Build Cach"])
      let before = try rows(host)
      #expect(before["Images"]?["TotalCount"] == "3" && before["Images"]?["Active"] == "1")
      #expect(before["Images"]?["Reclaimable"]?.hasPrefix("5.2") == true, "\(before)")
      #expect(before["Containers"]?["Active"] == "1" && before["Containers"]?["Size"] == "2.1MB", "\(before)")
      #expect(before["Containers"]?["Reclaimable"] == "0B (0%)", "\(before)")
      #expect(before["Local Volumes"]?["TotalCount"] == "1", "\(before)")
      #expect(before["Local Volumes"]?["Size"]?.hasPrefix("1.0") == true, "\(before)")
      #expect(before["Build Cache"]?["Size"]?.hasPrefix("3.1") == true, "\(before)")
      let lists = try host.succeed("stack", "system", "df", "-v")
      for text in ["Images space usage:", "s/web", "s_d", "exec.cachemount", "RUN dd if=/dev/zero of=/big"] {
        #expect(lists.contains(text), "\(text): \(lists)")
      }
      let details = try host.succeed(
        "sh", "-c", "stack system df -v --format json | jq -r '.Images[] | select(.Repository == \"y\") | .UniqueSize'")
      #expect(details.hasPrefix("5.2"))
      #expect(
        try host.succeed("stack", "system", "df", "--format", "{{.Type}}={{.Active}}").contains("Local Volumes=1"))

      let refused = try host.run("stack", "system", "prune", "--all")
      #expect(refused.status == 1 && refused.errors.contains("--force"), "\(refused)")
      #expect(try rows(host) == before)
      let said = try host.succeed("stack", "system", "prune", "--all", "--volumes", "--force")
      #expect(said.contains("Total reclaimed space: ") && said.contains("MB"), "\(said)")
      let after = try rows(host)
      // A service that runs keeps its image, its volume and its files.
      #expect(after["Images"]?["TotalCount"] == "1" && after["Images"]?["Active"] == "1", "\(after)")
      #expect(after["Build Cache"]?["Size"] == "0B" && after["Local Volumes"]?["TotalCount"] == "1", "\(after)")
      try host.succeed("stack", "exec", "web", "test", "-e", "/d/v")
      try host.succeed("stack", "down", "s")
      #expect(try rows(host)["Containers"]?["TotalCount"] == "0")
      try host.succeed("stack", "system", "prune", "--all", "--volumes", "--force")
      #expect(try rows(host)["Local Volumes"]?["TotalCount"] == "0")
    }
  }
}
