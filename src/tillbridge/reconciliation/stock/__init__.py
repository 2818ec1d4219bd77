"""Stock held against what ERPs and channels tell of theirs, every difference named."""
