"""One state machine per tax document: asked, calculated, committed, adjusted, voided."""
