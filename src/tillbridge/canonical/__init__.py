"""The retail model: facts in the past tense, commands in the imperative, frozen and versioned."""
