import Intent
import Kernel

/// The volumes of this host.
package struct VolumeIndex {
  private let folders: StateFolders

  package init(folders: StateFolders) { self.folders = folders }

  /// One volume that outlives its services.
  package struct Entry: Hashable, Sendable {
    /// Its name for all stacks: for a volume of one stack, `stack_volume`.
    package var name: String
    package var folder: String
    /// nil for one that belongs to no stack alone.
    package var stack: String?
  }

  /// Those that belong to no stack alone, then those of each stack, by name.
  package func entries() -> [Entry] {
    let shared = Files.list(folders.sharedVolumes).map { name in
      Entry(name: name, folder: folders.sharedVolume(name), stack: nil)
    }
    let own = Files.list(folders.lib).filter { !$0.hasPrefix(".") }.flatMap { stack in
      Files.list(folders.stack(stack).volumes).map { volume in
        Entry(name: "\(stack)_\(volume)", folder: folders.stack(stack).volume(volume), stack: stack)
      }
    }
    return (shared + own).sorted { ($0.name, $0.folder) < ($1.name, $1.folder) }
  }

  /// The folders by the names of their volumes. A name of all stacks comes before one that is made of two.
  package func foldersByName() -> [String: String] {
    Dictionary(entries().sorted { ($0.stack == nil ? 0 : 1) < ($1.stack == nil ? 0 : 1) }.map { ($0.name, $0.folder) })
    {
      first, _ in first
    }
  }
}
