"""Received and read cursors, merged before they are written, and the receipts that others get of them."""
