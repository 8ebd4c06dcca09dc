"""Reconciliation at scale: sets of records in columns, compared two or three ways."""
