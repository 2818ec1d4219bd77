"""5 Deliver: documents to ERPs and channels, under budgets, breakers and receipts."""
