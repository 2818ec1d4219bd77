"""The stock book: movements, reservations, what is available to sell."""
