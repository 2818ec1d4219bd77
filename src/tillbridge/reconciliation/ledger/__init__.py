"""The ERP's general ledger against the money book: per account, and down to documents."""
