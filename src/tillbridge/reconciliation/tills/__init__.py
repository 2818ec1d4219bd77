"""Tills as senders: which numbers are missing, who was not heard, whose day is not closed."""
