"""What a connector promises: protocols, the strict wire parser, the transport, the conformance suite."""
