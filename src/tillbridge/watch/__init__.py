"""8 Observe: the story of one sale, the invariants, indicators and alerts."""
