"""4 Post: the two books, money and stock."""
