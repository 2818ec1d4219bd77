"""What a connector promises: protocols, strict wire parser, transport, conformance suite."""
