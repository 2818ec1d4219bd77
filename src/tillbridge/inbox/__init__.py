"""1 Receive: authenticate, record the raw bytes once, acknowledge."""
