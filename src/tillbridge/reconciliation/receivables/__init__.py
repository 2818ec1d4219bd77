"""Receivables: who paid them, which are overdue, and whether the books hold what is open."""
