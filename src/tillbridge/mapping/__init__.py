"""2 Translate: their names to ours, for products, locations, tenders, taxes and parties."""
