//! Draws diagnostics, plans and receipts as text. Returns strings; does no I/O.
