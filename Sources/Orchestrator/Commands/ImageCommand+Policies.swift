import Glibc
import ImageReference
import ImageStore
import Images
import StackFiles

extension ImageCommand {
  /// What `pull_policy:` means for an image now. `daily` and its like fetch an image once it is too old.
  func policy(_ policy: StackFile.PullPolicy, for source: ImageSource) -> ImageService.Policy {
    switch policy {
    case .always: .always
    case .never: .never
    // A build takes the place of the fetch.
    case .missing, .ifNotPresent, .build: .missing
    case .every(let age, _): isOlder(source, than: age) ? .always : .missing
    }
  }

  private func isOlder(_ source: ImageSource, than age: Duration) -> Bool {
    guard case .registry(let reference) = source,
      let fetched = try? images.store.time(ofName: reference.canonical)
    else { return false }
    return fetched + age.components.seconds <= Int64(time(nil))
  }
}
