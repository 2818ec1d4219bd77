"""A real ERP beside the hub: installs, fills, starts and stops Tryton 8.2 for demo and tests."""
