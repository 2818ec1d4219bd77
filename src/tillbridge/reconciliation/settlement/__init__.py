"""Settlement: provider files to payouts, payouts to sales, sales to the bank line."""
