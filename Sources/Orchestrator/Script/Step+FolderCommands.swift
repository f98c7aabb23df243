import Vocabulary
import Intent
import Names
import Planning
import Runtime

/// The commands for what lies in files.
extension Step {
  static func folderCommands(_ stack: DesiredStack, _ folder: StackFolder, hostResolver: String?) -> [String] {
    [
      "mkdir -p -m 0700 \(folder.path) \(folder.names) \(folder.services) \(folder.layers) \(folder.logs)"
    ] + stack.volumes.map { "mkdir -p \(Shell.quoted($0.folder))" }
      + NameViews(stack).hostsFiles(for: stack).map { Shell.feed("cat >\(folder.names)/\($0.name)", $0.text) }
      + ResolverFiles(stack, host: hostResolver).files.map { Shell.feed("cat >\(folder.names)/\($0.name)", $0.text) }
  }

  static func folderRemovalCommands(_ folder: StackFolder) -> [String] {
    [
      "rm -rf \(folder.logs) \(folder.hostRootOnDisk)",
      "rmdir --ignore-fail-on-non-empty \(folder.volumes) \(folder.lib) 2>/dev/null || true",
      "rm -rf \(folder.path)",
    ]
  }

  static func layerCommands(_ folder: StackFolder) -> [String] {
    [
      "mountpoint -q \(folder.layers) || mount -t tmpfs -o nosuid,nodev,mode=0711 tmpfs \(folder.layers)",
      "mkdir -p \(folder.layers)/.users",
    ]
  }

  static func layerRemovalCommands(_ folder: ServiceFolder) -> [String] {
    ["! mountpoint -q \(folder.layer) || umount \(folder.layer)", "rm -rf \(folder.layer) \(folder.path)"]
  }

  /// The skeleton around the host's /usr: ``HostRoot``.
  static func hostRootCommands(_ root: String) -> [String] {
    let modes = Dictionary(grouping: HostRoot.folders, by: \.mode).sorted { $0.key < $1.key }
    // A folder that is named as another's parent only is made with the usual mode first.
    var commands = ["mkdir -p \(HostRoot.folders.map { "\(root)/\($0.path)" }.joined(separator: " "))"]
    for (mode, folders) in modes where mode != 0o755 {
      commands.append("chmod 0\(String(mode, radix: 8)) \(folders.map { "\(root)/\($0.path)" }.joined(separator: " "))")
    }
    commands += HostRoot.links.map { "ln -sfn \($0.target) \(root)/\($0.path)" }
    commands += [
      "for name in \(HostRoot.programFolders.joined(separator: " ")); do",
      "  if [[ -L /$name ]]; then ln -sfn \"$(readlink /$name)\" \(root)/$name",
      "  elif [[ -d /$name ]]; then mkdir -p \(root)/$name; fi",
      "done",
      "while IFS=: read -r name _ id group _; do",
      "  if ((id == 0)); then echo \"$name:x:$id:$group::/root:/bin/sh\"",
      "  elif ((id < 1000 || id == 65534)); then echo \"$name:x:$id:$group::/nonexistent:/usr/sbin/nologin\"; fi",
      "done </etc/passwd >\(root)/etc/passwd",
      "sed 's/:.*/:*:::::::/' \(root)/etc/passwd >\(root)/etc/shadow",
      "while IFS=: read -r name _ id members; do",
      "  ((id < 1000 || id == 65534)) || continue",
      "  kept=",
      "  for member in ${members//,/ }; do",
      "    if grep -q \"^$member:\" \(root)/etc/passwd; then kept+=${kept:+,}$member; fi",
      "  done",
      "  echo \"$name:x:$id:$kept\"",
      "done </etc/group >\(root)/etc/group",
    ]
    commands += HostRoot.files.map { Shell.feed("cat >\(root)/\($0.path)", $0.text) }
    commands += [
      "for file in \(HostRoot.carriedFiles.joined(separator: " ")); do carry_file $file \(root); done",
      "for file in \(HostRoot.carriedFolders.map { "/\($0)/*" }.joined(separator: " ")); do carry_file ${file#/} \(root); done",
    ]
    return commands
  }
}
