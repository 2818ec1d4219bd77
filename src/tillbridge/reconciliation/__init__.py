"""6 Settle: payouts, bank, tills, stock counts and completeness against the books."""
