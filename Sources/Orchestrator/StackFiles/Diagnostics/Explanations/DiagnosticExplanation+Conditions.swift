extension DiagnosticExplanation {
  /// E0620 to E0624: rate, delay and loss of links.
  static let conditions: [DiagnosticExplanation] = [
    .init(
      .badRate, "a rate cannot be understood, or is too small or too large",
      """
      A rate is a number of bits a second with a unit: `64kbit`, `10mbit`, `1.5gbit`. It is 1kbit to 1tbit.
      `mbps` is refused: tc reads it as bytes, and most people as bits.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {rate: 10mbps}}
        networks:
          front: {}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {rate: 10mbit}}
        networks:
          front: {}
        """),
    .init(
      .badShare, "a share is not written as a percentage, or is over 100%",
      """
      Loss, duplication, corruption and reordering are percentages: `1%`, `0.05%`. The smallest step is a
      millionth, `0.0001%`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {loss: 1}}
        networks:
          front: {}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {loss: 1%}}
        networks:
          front: {}
        """),
    .init(
      .jitterWithoutDelay, "a link has jitter and no delay that could vary",
      """
      Jitter is how far the delay varies. Give a delay that is at least as long.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {jitter: 5ms}}
        networks:
          front: {}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {delay: 20ms, jitter: 5ms}}
        networks:
          front: {}
        """),
    .init(
      .jitterExceedsDelay, "the jitter of a link is larger than its delay",
      """
      A delay of 10 ms with a jitter of 20 ms would let packets arrive before they were sent.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {delay: 10ms, jitter: 20ms}}
        networks:
          front: {}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {delay: 20ms, jitter: 10ms}}
        networks:
          front: {}
        """),
    .init(
      .reorderWithoutDelay, "packets of a link overtake others, but none is delayed",
      """
      netem reorders by sending some packets at once while others wait. Without a delay none waits.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {reorder: 25%}}
        networks:
          front: {}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {delay: 10ms, reorder: 25%}}
        networks:
          front: {}
        """),
  ]
}
