//! Desired and observed resources → Plan (plain data).
