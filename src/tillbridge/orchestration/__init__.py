"""3 Decide: pure state machines for orders, fulfilment, returns and transfers."""
