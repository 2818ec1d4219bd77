"""Till transactions: immutable, told possibly twice, possibly voided afterwards."""
