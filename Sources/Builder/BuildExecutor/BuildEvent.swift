/// A step of a build, for people.
package struct BuildStep: Hashable, Sendable {
  /// The name of the stage, or its number.
  package var stage: String
  /// From 1: FROM.
  package var number: Int
  /// The number of steps that the stage has.
  package var count: Int
  /// `RUN make`
  package var text: String
  /// `Dockerfile:12`
  package var place: String

  package init(stage: String, number: Int, count: Int, text: String, place: String) {
    (self.stage, self.number, self.count, self.text, self.place) = (stage, number, count, text, place)
  }
}

/// A thing that happens while an image is built.
package struct BuildEvent: Sendable {
  package enum Kind: Sendable, Hashable {
    /// With the reason why it is not taken from a build before.
    case began(reason: String?)
    /// Nothing was to be done.
    case cached
    /// A line of the step's output, or of how far it is.
    case output(String)
    case ended(seconds: Double)
    case failed(seconds: Double)
    /// It was ended with the build: the user wanted no more, or something beside it failed.
    case stopped(seconds: Double)
    /// A line that belongs to no step.
    case note(String)
    /// A dry run would do it, for a reason or since a step before it is done.
    case planned(reason: String?)
  }

  /// The image.
  package var image: String
  package var step: BuildStep?
  package var kind: Kind

  package init(image: String, step: BuildStep?, _ kind: Kind) {
    (self.image, self.step, self.kind) = (image, step, kind)
  }
}
