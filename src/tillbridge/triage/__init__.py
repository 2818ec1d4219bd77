"""7 Repair: exception cases, owners, approvals, replay with preview."""
